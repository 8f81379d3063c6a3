"""Sentences say what the numbers say, and a model's words stay words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medgemma_dash.core.answer import Answer, Fidelity
from medgemma_dash.core.explanation import Against, Explanation, Target
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.regions import zone_map, zone_table
from medgemma_dash.ui.rich_line import Segment
from medgemma_dash.ui.wording import (
    fidelity_warning,
    how_line,
    probability,
    quoted,
    why_sentence,
    zone_phrase,
)

HOSTILE = "<img src=x onerror=alert(1)> ![a](http://b) **c**"


def text_of(line: list[Segment]) -> str:
    return "".join(segment.text for segment in line)


@pytest.fixture
def case(makers: Any) -> tuple[Answer, Explanation]:
    from PIL import Image

    radiograph = load_radiograph(Image.fromarray(np.full((64, 64), 90, np.uint8)))
    answer = makers.answer(radiograph, "Is it there?")
    return answer, makers.explanation(answer, Target("token", (8,), " lower"), "chefer")


def sentence(answer: Answer, explanation: Explanation) -> list[Segment]:
    zones = zone_map(answer.radiograph, answer.grid, "fixed")
    return why_sentence(explanation, answer, zone_table(explanation.image, zones))


def test_the_sentence_gives_shares_zone_probability_and_runner_up(
    case: tuple[Answer, Explanation],
) -> None:
    said = text_of(sentence(*case))
    # 16 cells of 0.04 on the image, 0.36 on the question.
    assert said.startswith("Why lower? 64% of its relevance lies on the image, 50% of that inside")
    assert "The model gave it 0.98; next came mid 0.01 why not mid?" in said


def test_a_contrast_names_both_words_and_the_way_back(case: tuple[Answer, Explanation]) -> None:
    answer, explanation = case
    target = replace(explanation.target, against=Against(9001, " mid"))
    line = sentence(answer, replace(explanation, target=target))
    assert text_of(line).startswith("Why lower rather than mid?")
    assert "against:none" in [segment.action for segment in line]


def test_hostile_words_are_segments_of_their_own(case: tuple[Answer, Explanation]) -> None:
    answer, explanation = case
    target = replace(explanation.target, text=HOSTILE)
    line = sentence(answer, replace(explanation, target=target))
    holding = [segment for segment in line if "onerror" in segment.text]
    assert [segment.role for segment in holding] == ["word"]


def test_no_module_of_the_interface_allows_raw_html() -> None:
    folder = Path(__file__).parents[2] / "medgemma_dash" / "ui"
    for path in folder.rglob("*.py"):
        assert "unsafe_allow" not in path.read_text(encoding="utf-8"), path.name
    for path in folder.rglob("*.js"):
        assert "innerHTML" not in path.read_text(encoding="utf-8"), path.name


def test_a_mismatch_is_a_warning_that_names_the_words(case: tuple[Answer, Explanation]) -> None:
    answer, _ = case
    assert fidelity_warning(answer) == ""
    different = replace(answer, fidelity=Fidelity(False, (7,), 0.5))
    assert "“right”" in fidelity_warning(different)
    assert "replay exact" not in text_of(how_line(different, "Chefer", 0.07))


def test_probabilities_are_never_a_false_nought_or_one() -> None:
    assert [probability(p) for p in (0.0001, 0.5, 0.9999)] == ["< 0.01", "0.50", "> 0.99"]


def test_blank_tokens_are_visible_and_long_ones_are_cut() -> None:
    assert quoted("\n") == "␣"
    assert quoted("") == "end of answer"
    assert len(quoted("x" * 500)) < 60


def test_zones_are_named_from_the_side_that_is_known() -> None:
    assert zone_phrase("Right lower") == "the patient's right lower zone"
    assert zone_phrase("Image left mid") == "the image left mid zone"
