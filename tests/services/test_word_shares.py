"""Shares of several words' relevance: on the image, on a cell, in a sink."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.services.explaining.method_seconds import MethodSeconds
from medgemma_dash.services.explaining.word_shares import (
    attention_sink,
    image_share,
    image_shares,
    joint_probability,
    leaning,
    ranked,
    shares_of_images,
    shares_on_cells,
)
from tests.services.makers import (
    IMAGE_SPAN,
    make_answer,
    make_answer_of_two,
    make_explanation,
    make_target,
)

START, STOP = IMAGE_SPAN


@pytest.fixture
def answer() -> Answer:
    return make_answer()


@pytest.fixture
def rows(answer: Answer) -> np.ndarray:
    return np.zeros((len(answer.tokens), len(answer.input_ids)), np.float32)


def test_image_shares_count_positive_relevance_and_leave_out_what_is_unknown(
    answer: Answer, rows: np.ndarray
) -> None:
    rows[0, START], rows[0, STOP] = 3, 1
    rows[1, START], rows[1, STOP], rows[1, STOP + 1] = 2, -6, 2
    rows[2, START] = 1  # not explained
    rows[3, START] = -1  # nothing positive
    filled = np.array([True, True, False, True, True])
    assert image_shares(answer, rows, filled) == [0.75, 0.5, None, None, None]


def test_an_explanations_share_is_that_of_its_row(answer: Answer) -> None:
    explanation = make_explanation(answer, make_target(answer, 2))
    known = explanation.row[np.newaxis].repeat(len(answer.tokens), 0)
    filled = np.ones(len(answer.tokens), np.bool_)
    assert image_share(explanation) == pytest.approx(image_shares(answer, known, filled)[0])
    empty = replace(explanation, row=-explanation.row, images=(-explanation.image,))
    assert image_share(empty) is None


def test_tokens_lean_on_a_cell_where_they_put_more_than_an_even_share(
    answer: Answer, rows: np.ndarray
) -> None:
    rows[0, START : START + 6] = 10  # even, however large
    rows[1, START], rows[1, START + 1] = 3, 1
    rows[2, START] = 0.5
    rows[3, START + 5] = 7
    found = leaning(answer, rows, 3)
    assert found == [[2, 1], [1], [], [], [], [3]]
    assert leaning(answer, rows, 1)[0] == [2]


def test_of_several_images_each_has_its_share_and_its_cells() -> None:
    two = make_answer_of_two()
    given = make_explanation(two, make_target(two, 2))
    row, known = given.row[np.newaxis], np.ones(1, np.bool_)
    each = shares_of_images(given)
    assert each == pytest.approx([image.sum() / given.row.sum() for image in given.images])
    assert image_share(given) == pytest.approx(sum(each or ()))
    assert image_share(given) == pytest.approx(image_shares(two, row, known)[0])
    for number, image in enumerate(given.images):
        share = shares_on_cells(two, row, known, [(1, 2)], number)[0]
        assert share == pytest.approx(image[1, 2] / image.sum())
        even = image.ravel() > image.mean()
        assert leaning(two, row, 1, number) == [[0] if cell else [] for cell in even]


def test_a_sink_of_an_earlier_image_is_one() -> None:
    two = make_answer_of_two()
    rows = np.zeros((len(two.tokens), len(two.input_ids)), np.float32)
    start, stop = two.image_span
    rows[:, start:stop] = 1
    known = np.ones(len(rows), np.bool_)
    assert attention_sink(two, rows, known) is False
    rows[:, two.images[0].span[0]] = 1
    assert attention_sink(two, rows, known) is True


def test_a_share_on_cells_counts_each_cell_once_and_nothing_beside_the_image(
    answer: Answer, rows: np.ndarray
) -> None:
    rows[0, START], rows[0, START + 5], rows[0, STOP] = 3, 1, 9  # cells (0, 0) and (1, 2); text
    rows[1, START], rows[1, START + 5] = 2, -2
    rows[2, STOP] = 1  # nothing on the image
    rows[3, START] = 1  # not explained
    filled = np.array([True, True, True, False, True])
    found = shares_on_cells(answer, rows, filled, [(0, 0), (1, 1), (0, 0)])
    np.testing.assert_array_equal(found, np.array([0.75, 1, 0, np.nan, 0], np.float32))
    everywhere = [(row, col) for row in range(2) for col in range(3)]
    assert shares_on_cells(answer, rows, filled, everywhere)[:2].tolist() == [1, 0]


def test_ranking_leaves_out_what_is_unknown_or_nothing() -> None:
    assert ranked(np.array([0.1, np.nan, 0.0, 0.4, -0.2], np.float32)) == [3, 0]


def test_a_sink_is_one_heavy_cell_of_most_words_and_not_judged_by_a_few(
    answer: Answer, rows: np.ndarray
) -> None:
    rows[:, START + 2] = 1
    assert attention_sink(answer, rows, np.array([True, True, False, False, False])) is None
    assert attention_sink(answer, rows, np.array([True, True, True, False, False])) is True
    for index in range(len(rows)):
        rows[index, START : START + 6] = np.roll([1, 0, 0, 0, 0, 0], index)
    assert attention_sink(answer, rows, np.ones(len(rows), np.bool_)) is False


def test_tokens_are_as_probable_together_as_their_product(answer: Answer) -> None:
    assert joint_probability(answer.tokens[:2]) == pytest.approx(0.81)


def test_a_methods_seconds_are_the_median_of_its_last_runs() -> None:
    seconds = MethodSeconds()
    assert seconds.of("chefer") is None
    for run in (0.1, 9.0, 0.3):
        seconds.note("chefer", run)
    assert seconds.of("chefer") == 0.3
    for _ in range(20):
        seconds.note("chefer", 2.0)
    assert seconds.of("chefer") == 2.0
    assert seconds.of("rollout") is None


def test_a_method_that_was_not_run_yet_is_expected_to_cost_its_passes() -> None:
    seconds = MethodSeconds()
    seconds.note("chefer", 0.2)
    seconds.note("attnlrp", 0.4)
    expected = seconds.expected({"chefer": 1, "attnlrp": 1, "occlusion": 256})
    assert expected == {"chefer": 0.2, "attnlrp": 0.4, "occlusion": pytest.approx(256 * 0.3)}
