"""What a map says in words is what its numbers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.relevance import KnownRelevance, Relevance
from medgemma_dash.regions import ZoneRow, ZoneTable
from medgemma_dash.services.explaining.headline import (
    ZONE_FACTOR,
    headline,
    percent,
    strength_of,
    strongest_peak,
    zone_phrase,
)
from tests.services.makers import make_answer, make_answer_of_two, make_explanation, make_target

GRID = (8, 8)


@pytest.fixture
def answer() -> Answer:
    return make_answer()


def explained(answer: Answer, image: np.ndarray) -> Explanation:
    """Half of its relevance on the image."""
    row = np.zeros(len(answer.input_ids), np.float32)
    row[0] = image.clip(0).sum()
    row[answer.image_span[0]] = row[0]
    made = make_explanation(answer, make_target(answer, 2))
    return replace(made, images=(image.astype(np.float32),), row=row)


def table(upper: float, outside: float, *, of_lungs: bool = True) -> ZoneTable:
    rows = (
        ZoneRow("Right upper", upper, 0.1, 0.1, area=0.05),
        ZoneRow("Left lower", 1 - upper - outside, 0.1, 0.1, area=0.25),
    )
    return ZoneTable(rows, None, outside, of_lungs=of_lungs)


def spot() -> np.ndarray:
    image = np.full(GRID, 0.001)
    image[1, 1] = image[1, 2] = 1.0
    return image


EVEN = np.ones(GRID)


def test_a_zone_is_named_that_holds_clearly_more_than_its_area(answer: Answer) -> None:
    said = headline(explained(answer, spot()), table(0.45, 0.3))
    assert said.zone is not None
    assert said.text.endswith(
        "45% of that inside the patient's right upper zone, 9 times its share of the picture."
    )
    assert said.text.startswith("50% of its relevance lies on the image")


@pytest.mark.parametrize(
    ("upper", "outside", "named"),
    [
        (0.19, 0.6, ""),  # 3.8 times its area, and too little
        (0.21, 0.6, "Right upper"),
        (0.05, 0.35, ""),  # 0.60 in a zone of 0.25 is 2.4 times its area
        (0.05, 0.30, "Left lower"),
    ],
)
def test_a_zone_needs_both_density_and_weight(
    answer: Answer, upper: float, outside: float, named: str
) -> None:
    said = headline(explained(answer, spot()), table(upper, outside))
    assert (said.zone.name if said.zone else "") == named
    assert ZONE_FACTOR == 2.5


def test_the_heaviest_zone_is_not_named_for_being_large(answer: Answer) -> None:
    # Left lower: 40% of the map on 25% of the picture.
    said = headline(explained(answer, spot()), table(0.1, 0.5))
    assert said.zone is None
    assert said.text.endswith("lies on the image, in no one zone.")


def test_an_even_map_is_called_so_and_not_called_outside_because_the_picture_is(
    answer: Answer,
) -> None:
    said = headline(explained(answer, EVEN), table(0.05, 0.70))
    assert said.text.endswith(
        "nearly even: half of it on the brightest 50% of the picture, where an even map has 50% "
        "(brightest cell 1.0 times the mean)."
    )
    beyond = headline(explained(answer, EVEN), table(0.05, 0.75))
    assert beyond.text.endswith(
        "nearly even and mostly outside the lungs (75% of that; brightest cell 1.0 times the mean)."
    )


def test_a_map_outside_of_the_lungs_is_said_to_be_there(answer: Answer) -> None:
    said = headline(explained(answer, spot()), table(0.05, 0.84))
    assert said.text.endswith("mostly outside the lungs (84% of that).")
    both = headline(explained(answer, spot()), table(0.25, 0.65))
    assert "right upper zone, 5 times its share of the picture; 65% outside the lungs" in both.text
    # Outside of a fixed grid, or of a body, is not outside of the lungs.
    other = headline(explained(answer, spot()), table(0.05, 0.84, of_lungs=False))
    assert "lungs" not in other.text


def test_without_zones_it_says_why_and_names_no_side(answer: Answer) -> None:
    none = ZoneTable((), None, 1.0, note="No lungs could be made out.")
    said = headline(explained(answer, spot()), none).text
    assert said.endswith("lies on the image. No lungs could be made out.")
    assert not any(word in said for word in ("right", "left", "zone", "outside"))
    assert "nearly even" in headline(explained(answer, EVEN), none).text


def test_a_target_without_relevance_has_no_headline(answer: Answer) -> None:
    made = explained(answer, np.zeros(GRID))
    assert headline(replace(made, row=made.row * 0), table(0.4, 0.3)).text == ""


def tensor(answer: Answer, peaks: list[float], elsewhere: list[float]) -> np.ndarray:
    rows = np.zeros((len(answer.tokens), len(answer.input_ids)), np.float32)
    start = answer.image_span[0]
    for index, (peak, other) in enumerate(zip(peaks, elsewhere, strict=True)):
        rows[index, start] = peak
        rows[index, 0] = other
    return rows


def of_token(answer: Answer, rows: np.ndarray, index: int) -> Explanation:
    made = make_explanation(answer, make_target(answer, index))
    image = rows[index, slice(*answer.image_span)].reshape(answer.grid)
    return replace(made, row=rows[index], images=(image.copy(),))


def test_a_word_is_weak_when_it_is_far_below_the_others(answer: Answer) -> None:
    filled = np.ones(len(answer.tokens), np.bool_)
    # Five tokens, the last of which ends the answer and is no word.
    rows = tensor(answer, [0.1, 1.0, 1.0, 1.0, 9.0], [0.9, 0.2, 0.2, 0.2, 0.0])
    weak = strength_of(of_token(answer, rows, 0), answer, rows, filled)
    assert weak is not None
    assert (weak.weak, weak.words) == (True, 3)
    assert weak.relative == pytest.approx(0.1)
    assert "10% of the answer's strongest word" in weak.in_words
    said = headline(of_token(answer, rows, 0), table(0.4, 0.3), weak).text
    assert said.endswith("It is weak: its highest cell has 10% of what is usual in this answer.")
    # Low, and yet nearly all that it has; little of it, but as high as the others; faint.
    for peak, other, expected in ((0.4, 0.0, False), (1.0, 9.0, False), (0.1, 0.0, True)):
        rows = tensor(answer, [peak, 1.0, 1.0, 1.0, 0.0], [other, 0.2, 0.2, 0.2, 0.0])
        found = strength_of(of_token(answer, rows, 0), answer, rows, filled)
        assert found is not None
        assert found.weak is expected


def test_strength_needs_three_other_words_that_are_known(answer: Answer) -> None:
    rows = tensor(answer, [1.0] * 5, [1.0] * 5)
    filled = np.array([True, True, True, False, True])
    assert strength_of(of_token(answer, rows, 0), answer, rows, filled) is None


def test_one_scale_reaches_to_the_strongest_known_word(answer: Answer) -> None:
    rows = tensor(answer, [1.0, -3.0, 2.0, 9.0, 0.0], [9.0] * 5)
    filled = np.array([True, True, True, False, True])
    assert strongest_peak(answer, KnownRelevance(Relevance(rows), filled)) == 3
    assert strongest_peak(answer, KnownRelevance(Relevance(rows), filled & False)) == 0
    patches = np.zeros((5, 4, 6), np.float32)
    patches[2, 3, 3] = 7
    fine = KnownRelevance(Relevance(rows, fine=(patches,)), filled)
    assert strongest_peak(answer, fine) == 7


def test_of_several_images_the_sentence_says_which_it_speaks_of() -> None:
    answer = make_answer_of_two()
    made = make_explanation(answer, make_target(answer, 2))
    said = headline(made, table(0.45, 0.3)).text
    assert "lies on the images, 45% of what lies on image 2 of 2 inside" in said


def test_zones_are_named_from_the_side_that_is_known() -> None:
    assert zone_phrase("Right lower") == "the patient's right lower zone"
    assert zone_phrase("Image left mid") == "the image left mid zone"
    assert percent(0.456) == "46%"
