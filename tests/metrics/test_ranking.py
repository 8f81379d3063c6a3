"""The area under the ROC curve, against all pairs counted one by one."""

import numpy as np
import pytest

from medgemma_dash.metrics.bootstrap import cluster_weights, clustered_interval
from medgemma_dash.metrics.ranking import auc, clustered_auc


def counted(scores, positive):
    pairs = [(a, b) for a in scores[positive] for b in scores[~positive]]
    return sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs)


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_it_is_the_share_of_pairs_in_order_ties_counting_half(levels):
    random = np.random.default_rng(levels)
    for _ in range(20):
        scores = random.integers(0, levels, 40).astype(np.float64)
        positive = random.random(40) < 0.4
        assert auc(scores, positive) == pytest.approx(counted(scores, positive), abs=1e-12)


def test_without_both_there_is_none():
    scores, clusters = np.arange(4.0), np.arange(4)
    for positive in (np.zeros(4, bool), np.ones(4, bool)):
        assert np.isnan(auc(scores, positive))
        assert np.isnan(clustered_auc(scores, positive, clusters).high)


def test_the_interval_is_that_of_whole_clusters_drawn_again():
    random = np.random.default_rng(0)
    clusters = np.repeat(np.arange(12), 4)
    positive = np.repeat(random.random(12) < 0.5, 4)
    scores = random.normal(size=48) + positive
    found = clustered_auc(scores, positive, clusters, draws=300)
    drawn = np.random.default_rng(0).integers(0, 12, size=(300, 12))
    areas = []
    for draw in drawn:
        rows = np.concatenate([np.flatnonzero(clusters == one) for one in draw])
        if 0 < positive[rows].sum() < len(rows):
            areas.append(counted(scores[rows], positive[rows]))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])))
    assert found.mean == pytest.approx(counted(scores, positive))


def test_draws_in_blocks_are_the_same_draws(monkeypatch):
    random = np.random.default_rng(1)
    values, clusters = random.normal(size=90), random.integers(0, 30, 90)
    whole = clustered_interval(values, clusters, draws=200)
    weights = np.concatenate(list(cluster_weights(clusters, draws=200)))
    monkeypatch.setattr("medgemma_dash.metrics.bootstrap.MOST_DRAWN", 100)
    assert clustered_interval(values, clusters, draws=200) == whole
    assert np.array_equal(np.concatenate(list(cluster_weights(clusters, draws=200))), weights)
    means = (weights @ values) / weights.sum(1)
    assert (whole.low, whole.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))
