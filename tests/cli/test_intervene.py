"""`intervene` writes what the Python interface computes, and its report needs no model."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgemma_dash import ask, cli, intervene, load_radiograph, read_record
from medgemma_dash.cli import chosen_model
from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.reports.html import html_page
from medgemma_dash.reports.records import record_report

QUESTION = "Is there evidence of pneumothorax?"


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "Jane Doe 1970.png"
    Image.fromarray(synthesize(FIRST_EVALUATION_SEED + 3).pixels).save(path)
    return path


@pytest.fixture
def run(picture, demo_model, monkeypatch):
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: demo_model)
    return lambda *options: cli.main(["intervene", str(picture), QUESTION, *map(str, options)])


def test_the_record_is_what_python_computes_and_the_report_shows_it(
    run, demo_model, picture, tmp_path, capsys
):
    place, film = tmp_path / "box.zip", load_radiograph(picture)
    high, wide = film.height / 16, film.width / 16
    box = ",".join(f"{n:.2f}" for n in (2 * wide, 3 * high, 6 * wide, 8 * high))
    assert run("--out", place, "--box", box, "--keep", "--token", "0", "--removal", "blur") == 0
    said = capsys.readouterr().out
    mask = np.zeros((16, 16), np.bool_)
    mask[3:8, 2:6] = True
    answer = ask(demo_model, film, QUESTION)
    wanted = intervene(demo_model, answer, keep=mask, token=0, removal="blur")
    found = read_record(place)
    for name, table in wanted.tables.items():
        pd.testing.assert_frame_equal(found.tables[name], table)
    np.testing.assert_array_equal(found.maps["chefer"], wanted.maps["chefer"])
    assert dict(found.plan) == json.loads(json.dumps(dict(wanted.plan)))
    assert "20 of 256 patches are kept and all others are removed, by blur." in said
    assert "Jane" not in json.dumps(dict(found.plan)) + said.replace(str(picture), "")
    page = html_page(record_report(found))
    for words in ("What this does not show", "these patches alone", "Places that score lower"):
        assert words in page


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ("1,2,3", "is not X0,Y0,X1,Y1"),
        ("9,2,3,4", "is empty"),
        ("5000,2,5003,4", "outside the radiograph"),
    ],
)
def test_a_box_that_is_none_is_refused_before_the_model_loads(
    run, tmp_path, capsys, monkeypatch, box, said
):
    monkeypatch.setattr(chosen_model, "load_model", None)
    try:
        status = run("--out", tmp_path / "a.zip", "--box", box)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert said in capsys.readouterr().err


def test_hostile_text_in_a_record_stays_text(run, tmp_path):
    """A record made by hand: its words and its answers are drawn, never read as HTML."""
    place = tmp_path / "box"
    assert run("--out", place, "--box", "20,20,60,60", "--token", "0") == 0
    record = read_record(place)
    words, answers = record.tables["words"].copy(), record.tables["answers"].copy()
    words["text"] = words["first_after"] = "<img src=x onerror=alert(1)>"
    answers["text"] = "<script>alert(1)</script>"
    tables = {**record.tables, "words": words, "answers": answers}
    changed = replace(record, tables=tables, maps=dict(record.maps))
    page = html_page(record_report(changed))
    assert "<img src=x" not in page
    assert "<script>alert" not in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"grid": [10**9, 10**9]}, "is no grid of patches"),
        ({"cells": [[1.5, 2]]}, "There is no patch"),
        ({"cells": [[0, 99]]}, "There is no patch"),
        ({"cells": [["<b>", 2]]}, "There is no patch"),
        ({"cells": 7}, "not those of the kind"),
    ],
)
def test_a_plan_that_was_made_by_hand_is_refused_in_words(run, tmp_path, changed, said):
    place = tmp_path / "box"
    assert run("--out", place, "--box", "20,20,60,60", "--token", "0") == 0
    record = read_record(place)
    with pytest.raises(MedGemmaDashError, match=said):
        record_report(replace(record, plan={**record.plan, **changed}, maps=dict(record.maps)))
