"""`prompts` writes what the Python interface computes, and its report needs no model."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medgemma_dash import cli, load_radiograph, prompt_sensitivity, read_record
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
    return lambda *options: cli.main(["prompts", str(picture), QUESTION, *map(str, options)])


def test_the_record_is_what_python_computes_and_the_report_shows_it(
    run, demo_model, picture, tmp_path, capsys, monkeypatch
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

    monkeypatch.setattr(chosen_model, "load_model", None)
    page = tmp_path / "prompts.html"
    assert cli.main(["report", str(place), "--out", str(page)]) == 0
    html = page.read_text("utf-8")
    assert "Does the phrasing change the answer or the map?" in html
    assert "What this does not show" in html
    assert html.count('id="figure-0-') == 2
    assert "Jane" not in html


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
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(run, options, reason, tmp_path, capsys):
    assert run("--out", tmp_path / "r", *options) == 2
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert re.search(reason, error)
    assert list(tmp_path.iterdir()) == []
