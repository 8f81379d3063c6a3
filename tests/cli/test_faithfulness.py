"""`faithfulness` writes what the Python interface computes; `report` reads it without a model."""

import re

import pandas as pd
import pytest
from PIL import Image

from medgemma_dash import faithfulness, load_radiograph, read_record
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.faithfulness.reading import verdicts_of
from tests.gemma3_factory import radiograph
from tests.random_answers import FORCED, QUESTION, case

COMMAND, GIVEN = "faithfulness", ("--force", FORCED)


@pytest.fixture
def model():
    return case("six layers, heads 8 on 4").model


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "Jane Doe 1970.png"
    Image.fromarray(radiograph(3).pixels).save(path)
    return path


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        (["--phrase", "right lower", "--removals", "mean token"],
         {"phrase": "right lower", "removals": ["mean token"]}),
        (["--margin", "Yes", "No", "--methods", "attnlrp", "tam", "--no-sanity"],
         {"margin": ("Yes", "No"), "methods": ["attnlrp", "tam"], "sanity": False}),
        (["--span", "1:3", "--methods", "rollout", "--removals", "inpainting", "blur", "--draws",
          "12", "--no-sanity"],
         {"span": (1, 3), "methods": ["rollout"], "removals": ["inpainting", "blur"], "draws": 12,
          "sanity": False}),
    ],
)  # fmt: skip
def test_the_record_is_what_python_computes(run, model, picture, options, asked, tmp_path, capsys):
    place = tmp_path / "new" / "faithfulness.zip"
    assert run("--out", place, *options) == 0
    answer = ask(model, load_radiograph(picture), QUESTION, force=FORCED)
    wanted, found = faithfulness(model, answer, **asked), read_record(place)
    assert list(found.tables) == list(wanted.tables)
    for name in wanted.tables:
        pd.testing.assert_frame_equal(found.tables[name], wanted.tables[name])
    for name, image in wanted.maps.items():
        assert (found.maps[name] == image).all()
    said = capsys.readouterr().out
    for one in verdicts_of(wanted):
        assert one.text in said
    assert ("no map, because" in said) == ("tam" in asked.get("methods", ()))
    assert "Jane" not in said.replace(str(picture), "")
    assert b"Jane" not in place.read_bytes()


def test_the_report_needs_no_model(run, report_of, tmp_path):
    place = tmp_path / "record"
    assert run("--out", place, "--methods", "rollout", "--removals", "blur") == 0
    html = report_of(place)
    for text in (
        "Does the map tell the truth about the model?",
        "better than chance on this answer",
        "Deletion by blur",
        "Image dependence",
        "Sanity checks",
        "As published",
    ):
        assert text in html


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--methods", "cheffer"], "no method 'cheffer'"),
        (["--removals", "scissors"], "no removal 'scissors'"),
        (["--draws", "4"], "at least 10"),
        (["--phrase", "effusion"], "not in the answer"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(refusal, options, reason, tmp_path):
    assert re.search(reason, refusal("--out", tmp_path / "r.zip", *options))
    assert not (tmp_path / "r.zip").exists()


def test_one_target_at_most(run, tmp_path):
    with pytest.raises(SystemExit):
        run("--out", tmp_path / "r", "--token", 1, "--phrase", "right")
