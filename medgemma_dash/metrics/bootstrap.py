"""How sure a mean is, when several observations come from one radiograph."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

MOST_DRAWN = 1_000_000  # numbers at once, over the draws of a block


@dataclass(frozen=True)
class Interval:
    """A mean and its bootstrap percentile interval."""

    mean: float
    low: float
    high: float


def clustered_interval(
    values: Float[np.ndarray, " observations"],
    clusters: Int[np.ndarray, " observations"],
    groups: Int[np.ndarray, " observations"] | None = None,
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """Bootstrap the mean by drawing whole clusters (radiographs) with replacement.

    With `groups`, the statistic is the mean of the groups' means, each group counting alike; a
    group that a draw happens to miss is left out of that draw. Raises ValueError without
    observations.
    """
    if len(values) == 0:
        raise ValueError("An interval needs at least one observation.")
    if groups is None:
        groups = np.zeros(len(values), dtype=np.int64)
    _, cluster = np.unique(clusters, return_inverse=True)
    _, group = np.unique(groups, return_inverse=True)
    shape = (cluster.max() + 1, group.max() + 1)
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (cluster, group), values)
    np.add.at(counts, (cluster, group), 1)

    drawn = _draws(int(shape[0]), draws, seed, int(shape[0]))
    means = np.concatenate(
        [_mean_of_group_means(sums[some].sum(axis=1), counts[some].sum(axis=1)) for some in drawn]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    mean = _mean_of_group_means(sums.sum(axis=0)[None], counts.sum(axis=0)[None])[0]
    return Interval(float(mean), float(low), float(high))


def cluster_weights(
    clusters: Int[np.ndarray, " observations"], *, draws: int = 2000, seed: int = 0
) -> Iterator[Float[np.ndarray, "some observations"]]:
    """How often each observation is drawn, draw by draw, when whole clusters are; in blocks.

    The draws are those of `clustered_interval`.
    """
    _, cluster = np.unique(clusters, return_inverse=True)
    count = int(cluster.max()) + 1
    for drawn in _draws(count, draws, seed, len(clusters)):
        times = np.stack([np.bincount(one, minlength=count) for one in drawn])
        yield times[:, cluster].astype(np.float64)


def _draws(
    clusters: int, draws: int, seed: int, width: int
) -> Iterator[Int[np.ndarray, "some clusters"]]:
    """Clusters drawn with replacement, in blocks so small that `width` numbers a draw fit."""
    random = np.random.default_rng(seed)
    block = max(1, MOST_DRAWN // width)
    for start in range(0, draws, block):
        yield random.integers(0, clusters, size=(min(block, draws - start), clusters))


def _mean_of_group_means(
    sums: Float[np.ndarray, "draws groups"], counts: Float[np.ndarray, "draws groups"]
) -> Float[np.ndarray, " draws"]:
    present = counts > 0
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=present)
    average: Float[np.ndarray, " draws"] = means.sum(axis=1) / present.sum(axis=1)
    return average
