"""A slow rewrite of the clustered bootstrap: one list of observations per draw."""

import numpy as np


def clustered_interval(
    values: list[float], clusters: list[int], groups: list[int], draws: int, seed: int
) -> tuple[float, float, float]:
    """Return mean, 2.5% and 97.5% quantile of the mean of the groups' means."""
    names = sorted(set(clusters))
    drawn = np.random.default_rng(seed).integers(0, len(names), size=(draws, len(names)))
    observations = list(zip(values, clusters, groups, strict=True))

    def statistic(chosen: list[int]) -> float:
        taken = [(v, g) for name in chosen for v, c, g in observations if c == name]
        means = []
        for group in sorted({g for _, g in taken}):
            of_group = [v for v, g in taken if g == group]
            means.append(sum(of_group) / len(of_group))
        return sum(means) / len(means)

    means = [statistic([names[i] for i in draw]) for draw in drawn]
    low, high = np.quantile(means, [0.025, 0.975])
    return statistic(names), float(low), float(high)
