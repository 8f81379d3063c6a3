"""The relevance of a word is that of its tokens together."""

import numpy as np
import pytest

from medgemma_dash.services.explaining.word_shares import (
    image_shares,
    leaning,
    ranked,
    shares_on_cells,
    together,
)
from tests.services.makers import GRID, IMAGE_SPAN, make_answer

ANSWER = make_answer(("Small", " pneum", "othor", "ax", "."))
UNITS = ((0, 1), (1, 4), (4, 5), (5, 6))


def known() -> tuple[np.ndarray, np.ndarray]:
    rows = np.random.default_rng(0).normal(size=(6, len(ANSWER.input_ids))).astype(np.float32)
    return rows, np.ones(6, np.bool_)


def test_a_word_has_the_sum_of_its_tokens_and_a_token_alone_its_own_to_the_bit() -> None:
    assert ANSWER.words == UNITS[:3]
    assert ANSWER.units == UNITS
    rows, filled = known()
    words, full = together(rows, filled, UNITS)
    for word, token in ((0, 0), (2, 4), (3, 5)):
        assert words[word].tobytes() == rows[token].tobytes()
    np.testing.assert_array_equal(words[1], rows[1:4].sum(0, dtype=np.float64).astype(np.float32))
    assert full.all()
    filled[2] = False
    assert together(rows, filled, UNITS)[1].tolist() == [True, False, True, True]
    assert together(rows[:0], filled[:0], ())[0].shape == (0, rows.shape[1])


def test_a_share_on_the_image_is_of_all_positive_relevance() -> None:
    rows, filled = known()
    filled[4] = False
    rows[5] = -1
    words = together(rows, filled, UNITS)
    shares = image_shares(ANSWER, *words)
    positive = np.clip(words[0][1], 0, None)
    assert shares[1] == pytest.approx(positive[slice(*IMAGE_SPAN)].sum() / positive.sum())
    assert shares[2:] == [None, None]  # not explained; no positive relevance


def test_words_lean_on_cells_by_the_share_of_all_their_tokens() -> None:
    rows, filled = np.zeros((6, len(ANSWER.input_ids)), np.float32), np.ones(6, np.bool_)
    first = IMAGE_SPAN[0]
    rows[0, first] = 1
    rows[1:4, first + 5] = 3, 2, 1
    rows[2, first] = 2
    words = together(rows, filled, UNITS)
    assert shares_on_cells(ANSWER, *words, [(0, 0)]).tolist() == [1, 0.25, 0, 0]
    assert ranked(shares_on_cells(ANSWER, *words, [(0, 0), (1, 2)])) == [0, 1]
    found = leaning(ANSWER, words[0], 3)
    assert (found[0], found[5], found[1]) == ([0, 1], [1], [])
    filled[3] = False
    assert np.isnan(shares_on_cells(ANSWER, *together(rows, filled, UNITS), [(0, 0)])[1])
    with pytest.raises(ValueError, match="outside"):
        shares_on_cells(ANSWER, *words, [(GRID[0], 0)])
