"""`prompts` writes what the Python interface computes, and its report needs no model."""

import re

import numpy as np
import pandas as pd
import pytest

from medgemma_dash import load_radiograph, prompt_sensitivity, read_record

COMMAND, GIVEN = "prompts", ()
QUESTION = "Is there evidence of pneumothorax?"


def test_the_record_is_what_python_computes_and_the_report_shows_it(
    run, demo_model, picture, report_of, tmp_path, capsys
):
    place = tmp_path / "prompts"
    options = ["--variant", "A pneumothorax?", "--variant", "Any air?", "--perturb", "noise=5",
               "--seed", "3", "--max-new-tokens", "3"]  # fmt: skip
    assert run("--out", place, *options) == 0
    wanted = prompt_sensitivity(
        demo_model,
        load_radiograph(picture),
        QUESTION,
        ["A pneumothorax?", "Any air?"],
        ["noise 5"],
        seed=3,
        max_new_tokens=3,
    )
    found = read_record(place)
    for name in wanted.tables:
        pd.testing.assert_frame_equal(found.tables[name], wanted.tables[name])
    for name, image in wanted.maps.items():
        np.testing.assert_array_equal(found.maps[name], image)
    said = capsys.readouterr().out
    assert "5 own 1, noise 5" in said
    assert "Of 3 phrasings" in said
    html = report_of(place)
    assert "Does the phrasing change the answer or the map?" in html
    assert html.count('id="figure-0-') == 2


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--no-variants"], "nothing to compare"),
        (["--variant", ""], "empty"),
        (["--perturb", "fog"], "called 'fog'"),
        (["--no-variants", "--perturb", "brightness=0"], "empties the image"),
        (["--method", "rollout"], "cannot explain a decision"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(refusal, options, reason, tmp_path):
    assert re.search(reason, refusal("--out", tmp_path / "r", *options))
    assert list(tmp_path.iterdir()) == []
