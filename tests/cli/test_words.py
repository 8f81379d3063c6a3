"""`words` writes what the Python interface computes, and its report needs no model."""

import re

import numpy as np
import pandas as pd
import pytest

from medgemma_dash import ask, load_radiograph, read_record, target_words

COMMAND, GIVEN = "words", ()
QUESTION = "Is there evidence of pneumothorax?"


def test_the_record_is_what_python_computes_and_the_report_shows_it(
    run, demo_model, picture, report_of, tmp_path, capsys
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
    html = report_of(place)
    assert "Where does the model look for these words?" in html
    assert html.count('id="figure-0-') == 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--word", "dragons"], "'dragons' is not in the answer"),
        (["--word", ""], "empty"),
        (["--word", "there", "--method", "magic"], "no method 'magic'"),
        (["--word", "there", "--chain", "--setting", "heads=max"], "take no options"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(refusal, options, reason, tmp_path):
    assert re.search(reason, refusal("--out", tmp_path / "r", *options))
    assert list(tmp_path.iterdir()) == []
