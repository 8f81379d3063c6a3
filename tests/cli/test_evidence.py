"""`evidence` writes what the Python interface computes; `report` reads it without a model."""

import re

import pandas as pd
import pytest

from medgemma_dash import cli, evidence, load_radiograph, read_record
from medgemma_dash.services.explaining.asking import ask

COMMAND, GIVEN = "evidence", ()
QUESTION = "Is there evidence of pneumothorax?"


def test_the_record_is_what_python_computes_and_the_report_needs_no_model(
    run, demo_model, picture, report_of, tmp_path, capsys
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
    html = report_of(place)
    assert "Did the words need the image?" in html
    assert "not MedGemma" in html
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
    refusal, options, reason, picture, tmp_path
):
    (tmp_path / "thesis.txt").write_text("years of work")
    places = {"tmp": tmp_path, "picture": picture}
    assert re.search(reason, refusal(*(option.format(**places) for option in options)))
    assert [one.name for one in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_report_of_what_is_no_record_is_one_line(tmp_path, capsys):
    (tmp_path / "record.json").write_text("{}")
    assert cli.main(["report", str(tmp_path), "--out", str(tmp_path / "r.html")]) == 2
    assert "is not a record that can be opened" in capsys.readouterr().err
