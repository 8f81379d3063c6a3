import numpy as np
import pytest

from medgemma_dash.metrics.bootstrap import clustered_interval
from tests.oracles import bootstrap as oracle


@pytest.mark.parametrize("seed", range(4))
def test_interval_equals_the_draw_by_draw_oracle(seed):
    generator = np.random.default_rng(seed)
    values = generator.random(40)
    clusters = generator.integers(5, 17, 40)
    groups = generator.integers(0, 3, 40)

    interval = clustered_interval(values, clusters, groups, draws=60, seed=seed)

    expected = oracle.clustered_interval(
        values.tolist(), clusters.tolist(), groups.tolist(), draws=60, seed=seed
    )
    assert (interval.mean, interval.low, interval.high) == pytest.approx(expected)


def test_observations_of_one_radiograph_do_not_make_the_interval_narrower():
    values = np.random.default_rng(0).random(30)
    alone = clustered_interval(values, np.arange(30))
    repeated = clustered_interval(np.repeat(values, 10), np.repeat(np.arange(30), 10))
    assert repeated.low == pytest.approx(alone.low)
    assert repeated.high == pytest.approx(alone.high)


def test_groups_count_alike_whatever_their_size():
    values = np.array([1.0, 0.0, 0.0, 0.0])
    interval = clustered_interval(values, np.arange(4), np.array([0, 1, 1, 1]))
    assert interval.mean == 0.5


def test_one_radiograph_gives_an_interval_of_no_width():
    interval = clustered_interval(np.array([0.0, 1.0]), np.array([3, 3]))
    assert (interval.low, interval.mean, interval.high) == (0.5, 0.5, 0.5)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        interval = clustered_interval(generator.random(60), np.arange(60), draws=400, seed=seed)
        covered += interval.low <= 0.5 <= interval.high
    # Binomial(200, 0.95) leaves 180..198 once in a thousand times; the percentile interval is
    # a little narrow at 60 clusters.
    assert covered >= 180


def test_no_observation_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        clustered_interval(np.array([]), np.array([], dtype=int))
