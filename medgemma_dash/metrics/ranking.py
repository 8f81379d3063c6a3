"""How well a score ranks what is there above what is not."""

import numpy as np
from jaxtyping import Bool, Float, Int

from medgemma_dash.metrics.bootstrap import Interval, cluster_weights


def auc(scores: Float[np.ndarray, " n"], positive: Bool[np.ndarray, " n"]) -> float:
    """Area under the ROC curve: P(score of a positive > that of a negative), ties counting half.

    Not a number without both.
    """
    return float(_aucs(scores, positive, np.ones((1, len(scores))))[0])


def clustered_auc(
    scores: Float[np.ndarray, " n"],
    positive: Bool[np.ndarray, " n"],
    clusters: Int[np.ndarray, " n"],
    *,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 0,
) -> Interval:
    """The area with its bootstrap interval over whole clusters (radiographs or patients).

    A draw that happens to have positives alone, or negatives, is left out. Not numbers where the
    observations are so themselves.
    """
    area = auc(scores, positive)
    if np.isnan(area):
        return Interval(area, area, area)
    weights = cluster_weights(clusters, draws=draws, seed=seed)
    found = np.concatenate([_aucs(scores, positive, some) for some in weights])
    low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Interval(area, float(low), float(high))


def _aucs(
    scores: Float[np.ndarray, " n"],
    positive: Bool[np.ndarray, " n"],
    weights: Float[np.ndarray, "draws n"],
) -> Float[np.ndarray, " draws"]:
    """One area for each set of weights of the observations."""
    order = np.argsort(scores, kind="stable")
    _, starts = np.unique(scores[order], return_index=True)
    sorted_weights, is_positive = weights[:, order], positive[order]
    there = np.add.reduceat(sorted_weights * is_positive, starts, axis=1)
    absent = np.add.reduceat(sorted_weights * ~is_positive, starts, axis=1)
    below = np.cumsum(absent, axis=1) - absent / 2
    pairs = there.sum(1) * absent.sum(1)
    won = (there * below).sum(1)
    found: Float[np.ndarray, " draws"] = np.divide(
        won, pairs, out=np.full(len(weights), np.nan), where=pairs > 0
    )
    return found
