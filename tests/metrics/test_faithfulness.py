"""Faithfulness with a score whose truth is known."""

import numpy as np
import pytest

from medgemma_dash.metrics.faithfulness import measure_faithfulness, top_cells

WEIGHT = np.random.default_rng(0).random((4, 5)).ravel() / 20


def score(masks: np.ndarray) -> np.ndarray:
    """Probability is the sum of the weights of the cells that are left."""
    return np.log((~masks) @ WEIGHT + 1e-12)


def test_the_numbers_are_sums_of_what_is_left():
    image = WEIGHT.reshape(4, 5).astype(np.float32)
    table = measure_faithfulness(score, [image, -image], share=0.2)
    ordered = np.sort(WEIGHT)[::-1]
    best, worst = table.maps
    assert table.p == pytest.approx(WEIGHT.sum())
    assert table.p_blank == pytest.approx(0, abs=1e-9)
    assert table.image_dependence == pytest.approx(WEIGHT.sum())
    assert best.comprehensiveness == pytest.approx(ordered[:4].sum())
    assert best.sufficiency == pytest.approx(WEIGHT.sum() - ordered[:4].sum())
    assert worst.comprehensiveness == pytest.approx(ordered[-4:].sum())
    assert len(table.random) == 10
    drops = [one.comprehensiveness for one in table.random]
    assert worst.comprehensiveness <= min(drops)
    assert max(drops) <= best.comprehensiveness
    assert np.mean(drops) == pytest.approx(WEIGHT.sum() / 5, rel=0.25)  # ten drawings of four


def test_the_same_seed_draws_the_same_rankings():
    image = np.zeros((4, 5), np.float32)
    once, again = (measure_faithfulness(score, [image], seed=3) for _ in range(2))
    assert once.random == again.random


def test_of_equal_cells_the_first_are_taken():
    assert top_cells(np.zeros((2, 5), np.float32), 0.2).tolist() == [True] * 2 + [False] * 8
    assert top_cells(np.zeros((2, 2), np.float32), 0.01).sum() == 1


def test_cells_of_several_images_are_ranked_as_one_map():
    image = WEIGHT.reshape(4, 5).astype(np.float32)
    assert measure_faithfulness(score, [image]) == measure_faithfulness(score, [image.ravel()])


def test_maps_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        measure_faithfulness(score, [np.zeros((4, 5)), np.zeros((2, 2))])
