"""Sentences say what the numbers say, and a model's words stay words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from medgemma_dash.core.answer import Answer, Candidate, Fidelity
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.target import Against, Target
from medgemma_dash.core.token_words import runners_up_names
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.regions import zone_map, zone_table
from medgemma_dash.services.explaining.headline import headline
from medgemma_dash.ui.components.answer_words import runners_up_words
from medgemma_dash.ui.components.rich_line import Segment
from medgemma_dash.ui.components.wording import (
    Contrast,
    fidelity_warning,
    how_line,
    probability,
    quoted,
    read_contrast,
    token_words,
    why_sentence,
)

HOSTILE = "<img src=x onerror=alert(1)> ![a](http://b) **c**"


def text_of(line: list[Segment]) -> str:
    return "".join(segment.text for segment in line)


def picture() -> Radiograph:
    return load_radiograph(Image.fromarray(synthesize(FIRST_EVALUATION_SEED).pixels))


@pytest.fixture
def case(makers: Any) -> tuple[Answer, Explanation]:
    answer = makers.answer(picture(), "Is it there?")
    return answer, makers.explanation(answer, Target("token", (8,), " lower"), "chefer")


def sentence(
    answer: Answer, explanation: Explanation, *, contrastive: bool = True
) -> list[Segment]:
    zones = zone_map(answer.radiograph, answer.grid, "fixed")
    said = headline(explanation, zone_table(explanation.image, zones))
    return why_sentence(explanation, answer, said, generation="1-1", contrastive=contrastive)


def test_the_sentence_gives_shares_zone_probability_and_runner_up(
    case: tuple[Answer, Explanation],
) -> None:
    said = text_of(sentence(*case))
    # 16 cells of 0.04 in one row of the image, half of them in either mid zone; 0.36 elsewhere.
    assert said.startswith(
        "Why lower? 64% of its relevance lies on the image, 50% of that inside the patient's right "
        "mid zone, 2.7 times its share of the picture. "
    )
    assert "The model gave it 0.98; next came mid 0.01 why not mid?" in said


def test_a_contrast_names_both_words_and_the_way_back(case: tuple[Answer, Explanation]) -> None:
    answer, explanation = case
    target = replace(explanation.target, against=Against(9001, " mid"))
    line = sentence(answer, replace(explanation, target=target))
    assert text_of(line).startswith("Why lower rather than mid?")
    assert Contrast("1-1", 8, None).action in [segment.action for segment in line]


def test_a_method_that_cannot_contrast_names_the_runners_up_and_offers_nothing(
    case: tuple[Answer, Explanation],
) -> None:
    line = sentence(*case, contrastive=False)
    assert "The model gave it 0.98; next came mid 0.01." in text_of(line)
    assert not any(segment.action for segment in line)


@pytest.mark.parametrize("contrast", [Contrast("3-1", 8, 9001), Contrast("3-1", 0, None)])
def test_a_contrast_comes_back_from_its_link(contrast: Contrast) -> None:
    assert read_contrast(contrast.action) == contrast


@pytest.mark.parametrize(
    "action",
    [None, "", "cancel", "against:9001", "against:none", "against:1-1:x:4", "against:1-1:2:-4"],
)
def test_what_is_no_contrast_is_not_taken_for_one(action: str | None) -> None:
    assert read_contrast(action) is None


def test_hostile_words_are_segments_of_their_own(case: tuple[Answer, Explanation]) -> None:
    answer, explanation = case
    tokens = (*answer.tokens[:8], replace(answer.tokens[8], text=HOSTILE), *answer.tokens[9:])
    said = replace(answer, tokens=tokens, text="".join(token.text for token in tokens))
    line = sentence(said, explanation)
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


def test_blank_tokens_are_named_and_long_ones_are_cut() -> None:
    assert [quoted(text) for text in ("\n", "\n\n", "  ")] == [
        "line break",
        "2 line breaks",
        "2 spaces",
    ]
    assert len(quoted("x" * 500)) < 60


def test_only_the_token_that_ends_the_answer_is_called_its_end(makers: Any) -> None:
    # The first bytes of an emoji have no text; the token that completes it has it all.
    answer = makers.answer(picture(), "Smile?", ("Yes", "", "", "🙂", ""))
    tokens = tuple(replace(token, special=token.index == 4) for token in answer.tokens)
    answer = replace(answer, tokens=tokens)
    words = [token_words(answer, token.index) for token in answer.tokens]
    assert words == ["Yes", "part of a character", "part of a character", "🙂", "end of answer"]
    assert quoted("\ufffd") == "part of a character"


def test_a_control_token_is_named_by_what_it_does_wherever_it_stands(
    makers: Any, case: tuple[Answer, Explanation]
) -> None:
    answer = makers.answer(picture(), "Well?", ("Yes", "", "No"))
    pieces = list(answer.piece_texts)
    pieces[answer.tokens[1].position] = "<start_of_image>"
    answer = replace(answer, piece_texts=tuple(pieces))
    assert token_words(answer, 1) == "start of image"
    answer, explanation = case
    ends = (Candidate(106, "<end_of_turn>", 0.01),)
    tokens = tuple(replace(token, runners_up=ends) for token in answer.tokens)
    said = text_of(sentence(replace(answer, tokens=tokens), explanation))
    assert "next came end of answer 0.01 why not end of answer?" in said
    against = replace(explanation.target, against=Against(106, "<end_of_turn>"))
    said = text_of(sentence(answer, replace(explanation, target=against)))
    assert said.startswith("Why lower rather than end of answer?")


def test_what_looks_alike_is_told_apart_and_punctuation_is_named(
    case: tuple[Answer, Explanation],
) -> None:
    answer, explanation = case
    others = tuple(
        Candidate(place, text, 0.001)
        for place, text in enumerate((" There", ",", "There", "\ufffd", "\ufffd", "lower"))
    )
    token = replace(answer.tokens[explanation.target.token_indices[0]], runners_up=others)
    assert runners_up_names(token) == (
        "␣There",
        "comma",
        "There (no space)",
        "part of a character (token 3)",
        "part of a character (token 4)",
        "lower (no space)",  # as what was said looks
    )
    answer = replace(answer, tokens=tuple(replace(one, runners_up=others) for one in answer.tokens))
    said = text_of(sentence(answer, explanation))
    assert "why not ␣There?, why not comma?, why not There (no space)?" in said
    assert "next came ␣There < 0.01, comma < 0.01" in runners_up_words(answer)[0]
    target = replace(explanation.target, against=Against(2, "There"))
    said = text_of(sentence(answer, replace(explanation, target=target)))
    assert said.startswith("Why lower rather than There (no space)?")


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (5.96e-6, "replay exact (12 of 12 tokens, logits within 6e-6)"),
        (3e-6, "logits within 3e-6)"),
        (0.31, "logits within 0.4)"),
        (0.0, "(12 of 12 tokens, same logits)"),
        (None, "replay exact (12 of 12 tokens) "),
    ],
)
def test_the_replay_s_largest_difference_in_logits_is_told(
    case: tuple[Answer, Explanation], difference: float | None, said: str
) -> None:
    answer = replace(case[0], fidelity=Fidelity(True, (), difference))
    assert said in text_of(how_line(answer, "Chefer", 0.07))
