"""Agreement against scipy, and against maps whose relation is known."""

import numpy as np
import pytest
from scipy.spatial.distance import cosine, jensenshannon
from scipy.stats import pearsonr, spearmanr

from medgemma_dash.metrics.agreement import (
    AGREEMENT_MEASURES,
    agreement,
    agreement_matrix,
    mass_difference,
)


def maps(seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return tuple(generator.normal(size=(16, 16)).astype(np.float32) for _ in range(2))


@pytest.mark.parametrize("seed", range(5))
def test_measures_equal_scipys(seed):
    a, b = maps(seed)
    found = agreement(a, b)
    x, y = a.ravel().astype(float), b.ravel().astype(float)
    assert found.divergence == pytest.approx(jensenshannon(x.clip(0), y.clip(0)) ** 2, rel=1e-9)
    assert found.pearson == pytest.approx(pearsonr(x, y).statistic, rel=1e-9)
    assert found.spearman == pytest.approx(spearmanr(x, y).statistic, rel=1e-9)
    assert found.cosine == pytest.approx(1 - cosine(x, y), rel=1e-9)


def test_a_map_agrees_with_itself_and_its_multiples():
    a, _ = maps(0)
    found = agreement(a, 3 * a)
    for name, measure in AGREEMENT_MEASURES.items():
        assert getattr(found, name) == pytest.approx(measure.best, abs=1e-6)
    assert found.in_words == "nearly identical"


def test_maps_without_overlap_are_as_far_apart_as_can_be():
    a, b = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)
    a[0, 0], b[3, 3] = 1, 1
    found = agreement(a, b)
    assert found.divergence == pytest.approx(np.log(2))
    assert found.peak_distance == pytest.approx(np.hypot(3, 3))
    assert found.in_words == "significantly different"


def test_the_overlap_counts_the_top_fifth_and_all_that_tie_with_its_last():
    a = np.arange(10, dtype=np.float32).reshape(2, 5)  # the top two are 8 and 9
    b = a.copy()
    b[0, 0] = 8  # now three cells are in b's top
    assert agreement(a, b).top_overlap == pytest.approx(2 / 3)


def test_constant_and_empty_maps_have_no_correlation_or_divergence():
    a, _ = maps(0)
    empty = agreement(a, np.zeros_like(a))
    assert np.isnan([empty.divergence, empty.pearson, empty.spearman, empty.cosine]).all()
    assert empty.in_words == "not comparable"


def test_values_that_are_not_finite_are_refused():
    a, b = maps(0)
    b[0, 0] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        agreement(a, b)


def test_sparse_maps_that_share_no_cell_do_not_overlap():
    a, b = np.zeros((16, 16), np.float32), np.zeros((16, 16), np.float32)
    a[:4, :4], b[10:14, 10:14] = 1, 1  # fewer than 20%: the rest ties at zero
    assert agreement(a, b).top_overlap == 0
    assert agreement(a, a).top_overlap == 1
    assert np.isnan(agreement(a, np.zeros_like(a)).top_overlap)
    assert np.isnan(agreement(-a, a).top_overlap)


@pytest.mark.parametrize("value", [0.1, 0.3, 0.7, -2.3])
def test_a_constant_map_has_no_peak_and_correlates_with_nothing(value):
    generator = np.random.default_rng(2)
    constant = np.full((5, 7), value)
    found = agreement(constant, generator.random((5, 7)))
    assert np.isnan([found.pearson, found.spearman, found.peak_distance]).all()


def test_the_overlap_is_that_of_sorted_cells():
    for seed in range(5):
        a, b = maps(seed)
        tops = [set(np.argsort(m.ravel())[-51:].tolist()) for m in (a, b)]  # 51.2 is a fifth
        wanted = len(tops[0] & tops[1]) / len(tops[0] | tops[1])
        assert agreement(a, b).top_overlap == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.2, "nearly identical"),
        (0.5, "similar"),
        (0.75, "moderately different"),
        (1, "significantly different"),
    ],
)
def test_the_words_follow_the_divergence(share, words):
    a, b = np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32)
    a[0, 0], b[0, 0], b[1, 1] = 1, 1 - share, share
    assert agreement(a, b).in_words == words


def test_the_matrix_holds_every_pair():
    images = [*maps(0), *maps(1)]
    values = agreement_matrix(images, "spearman")
    assert values.shape == (4, 4)
    assert (values == values.T).all()
    assert (np.diag(values) == 1).all()
    assert values[3, 1] == agreement(images[3], images[1]).spearman
    with pytest.raises(ValueError, match="top_overlap"):
        agreement_matrix(images, "taste")


def test_a_difference_of_masses_sums_to_nothing():
    a, b = maps(0)
    difference = mass_difference(a, 7 * b)
    assert difference.dtype == np.float32
    assert difference.sum() == pytest.approx(0, abs=1e-5)
    assert abs(mass_difference(a, 3 * a)).max() < 1e-7  # float32 rounding of shares below 0.1
