"""`evidence` writes what the Python interface computes; `report` reads it without a model."""

import re

import pandas as pd
import pytest
from PIL import Image

from medgemma_dash import cli, evidence, load_radiograph, read_record
from medgemma_dash.cli import chosen_model
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.services.explaining.asking import ask

QUESTION = "Is there evidence of pneumothorax?"


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "Jane Doe 1970.png"
    Image.fromarray(synthesize(FIRST_EVALUATION_SEED + 3).pixels).save(path)
    return path


@pytest.fixture
def run(picture, demo_model, monkeypatch):
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: demo_model)
    return lambda *options: cli.main(["evidence", str(picture), QUESTION, *map(str, options)])


def test_the_record_is_what_python_computes_and_the_report_needs_no_model(
    run, demo_model, picture, tmp_path, capsys, monkeypatch
):
    place = tmp_path / "new" / "evidence.zip"
    assert run("--out", place, "--max-new-tokens", 4) == 0
    answer = ask(demo_model, load_radiograph(picture), QUESTION, max_new_tokens=4)
    wanted, found = evidence(demo_model, answer), read_record(place)
    for name in wanted.tables:
        pd.testing.assert_frame_equal(found.tables[name], wanted.tables[name])
    said = capsys.readouterr().out
    assert "needs the image" in said
    assert "Jane" not in said.replace(str(picture), "")

    monkeypatch.setattr(chosen_model, "load_model", None)
    page = tmp_path / "evidence.html"
    assert cli.main(["report", str(place), "--out", str(page)]) == 0
    html = page.read_text("utf-8")
    assert "Did the words need the image?" in html
    assert "What this does not show" in html
    assert "not MedGemma" in html
    assert "Jane" not in html
    assert b"Jane" not in place.read_bytes()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--out", "{tmp}"], "is no record"),
        (["--out", "{tmp}/r", "--donor", "{picture}"], "0 other radiographs"),
        (["--out", "{tmp}/r", "--force", "<end_of_turn>"], "control tag"),
        (["--out", "{tmp}/thesis.txt/r"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_everything(
    run, options, reason, picture, tmp_path, capsys
):
    (tmp_path / "thesis.txt").write_text("years of work")
    places = {"tmp": tmp_path, "picture": picture}
    assert run(*(option.format(**places) for option in options)) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert re.search(reason, error)
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_report_of_what_is_no_record_is_one_line(tmp_path, capsys):
    (tmp_path / "record.json").write_text("{}")
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "r.html")]) == 2
    assert "is not a record that can be opened" in capsys.readouterr().err
