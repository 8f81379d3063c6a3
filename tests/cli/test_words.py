"""`words` writes what the Python interface computes, and its report needs no model."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgemma_dash import ask, cli, load_radiograph, read_record, target_words
from medgemma_dash.cli import chosen_model
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize

QUESTION = "Is there evidence of pneumothorax?"


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "Jane Doe 1970.png"
    Image.fromarray(synthesize(FIRST_EVALUATION_SEED + 3).pixels).save(path)
    return path


@pytest.fixture
def run(picture, demo_model, monkeypatch):
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: demo_model)
    return lambda *options: cli.main(["words", str(picture), QUESTION, *map(str, options)])


def test_the_record_is_what_python_computes_and_the_report_shows_it(
    run, demo_model, picture, tmp_path, capsys, monkeypatch
):
    place = tmp_path / "words.zip"
    options = ["--word", "pneumothorax", "--word", "is there", "--place", "prompt", "--place",
               "forced", "--chain", "--after", "2"]  # fmt: skip
    assert run("--out", place, *options) == 0
    answer = ask(demo_model, load_radiograph(picture), QUESTION)
    wanted, found = (
        target_words(
            demo_model,
            answer,
            ["pneumothorax", "is there"],
            places=["prompt", "forced"],
            method="chain",
            forced_after=2,
        ),
        read_record(place),
    )
    for name in wanted.tables:
        pd.testing.assert_frame_equal(found.tables[name], wanted.tables[name])
    assert found.maps.keys() == wanted.maps.keys()
    for name, image in wanted.maps.items():
        np.testing.assert_array_equal(found.maps[name], image)
    said = capsys.readouterr().out
    assert "'pneumothorax' in the prompt: gradcam" in said
    assert "single token" in said

    monkeypatch.setattr(chosen_model, "load_model", None)
    page = tmp_path / "words.html"
    assert cli.main(["report", str(place), "--out", str(page)]) == 0
    html = page.read_text("utf-8")
    assert "Where does the model look for these words?" in html
    assert "What this does not show" in html
    assert html.count('id="figure-0-') == 2
    assert "Jane" not in html


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--word", "dragons"], "'dragons' is not in the answer"),
        (["--word", ""], "empty"),
        (["--word", "there", "--method", "magic"], "no method 'magic'"),
        (["--word", "there", "--chain", "--setting", "heads=max"], "take no options"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(run, options, reason, tmp_path, capsys):
    assert run("--out", tmp_path / "r", *options) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert re.search(reason, error)
    assert list(tmp_path.iterdir()) == []
