"""What a measure of two maps gives once one of them is displaced: its values, in chance places."""

from functools import cache

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from medgemma_dash.metrics.agreement import top_cells


def displaced_agreements(
    first: Float[np.ndarray, "rows cols"], second: Float[np.ndarray, "rows cols"], measure: str
) -> Float[np.ndarray, " copies"]:
    """The measure between the first map and every displaced copy of the second but itself."""
    rows, cols = second.shape
    places = _displacements(rows, cols)
    a, b = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    if measure == "peak_distance":
        return _peak_distances(first, second)
    if measure == "divergence":
        return _divergences(a.clip(0), b.clip(0), places)
    if measure == "top_overlap":
        top, others = top_cells(a), top_cells(b)[places]
        either = (top | others).sum(1)
        if not (top.any() and others.any()):
            return np.full(len(places), np.nan)
        return np.asarray((top & others).sum(1) / either)
    if measure == "spearman":
        a, b = rankdata(a), rankdata(b)
    if measure != "cosine":
        if np.ptp(a) == 0 or np.ptp(b) == 0:
            return np.full(len(places), np.nan)
        a, b = a - a.mean(), b - b.mean()
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return b[places] @ a / length if length > 0 else np.full(len(places), np.nan)


@cache
def _displacements(rows: int, cols: int) -> Int[np.ndarray, "copies cells"]:
    """For each displaced copy, which cell comes to each place; the one in place is left out."""
    grid = np.arange(rows * cols).reshape(rows, cols)
    copies = [
        np.roll(mirrored, (down, across), (0, 1)).ravel()
        for mirrored in (grid, grid[::-1], grid[:, ::-1], grid[::-1, ::-1])
        for down in range(rows)
        for across in range(cols)
    ]
    return np.array(copies[1:])


def _divergences(
    a: Float[np.ndarray, " cells"],
    b: Float[np.ndarray, " cells"],
    places: Int[np.ndarray, "copies cells"],
) -> Float[np.ndarray, " copies"]:
    """Entropy of the mean less the mean of entropies: of P and Q it is the same in any place."""
    if a.sum() == 0 or b.sum() == 0:
        return np.full(len(places), np.nan)
    P, Q = a / a.sum(), b / b.sum()
    middle = (P + Q[places]) / 2
    parts = np.log(middle, out=np.zeros_like(middle), where=middle > 0)
    parts *= middle
    own = sum(float((one[one > 0] * np.log(one[one > 0])).sum()) for one in (P, Q))
    found: Float[np.ndarray, " copies"] = (own / 2 - parts.sum(1)).clip(0)
    return found


def _peak_distances(
    first: Float[np.ndarray, "rows cols"], second: Float[np.ndarray, "rows cols"]
) -> Float[np.ndarray, " cells"]:
    """Shifted, the second map's peak comes to every cell once; and so does the first's."""
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return np.full(first.size, np.nan)
    down, across = np.indices(first.shape)
    peaks = [np.unravel_index(int(np.argmax(one)), one.shape) for one in (first, second)]
    return np.concatenate([np.hypot(down - y, across - x).ravel() for y, x in peaks])
