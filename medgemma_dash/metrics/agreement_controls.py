"""How alike two maps are, judged by maps that know nothing of the model.

A number such as a Jensen-Shannon divergence of 0.2 means little alone: diffuse maps are close to
each other whatever they show. So each pair is compared with what the same two maps give once one
of them is displaced (every torus shift of the grid, each mirrored both ways: its values and its
smoothness stay, its places are chance; Upton and Fingleton 1985, torus-translation test), and
with how close either of them comes to a blot in the centre and to an even map.

Displacing leaves a random map as random as it was, so that a random map is told from chance in
no more than (1 - LEVEL) / 2 of all cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import rankdata

from medgemma_dash.core.centre_prior import centre_map
from medgemma_dash.metrics.agreement import (
    AGREEMENT_MEASURES,
    agreement,
    top_cells,
)

LEVEL = 0.95  # of the displaced copies that the band holds, as many left out on either side
# Between sums that are equal but for the order they were made in.
_ROUNDING = 1e-9

Verdict = Literal[
    "the same map",
    "alike",
    "no more alike than a map in the centre",
    "no more alike than an even map",
    "no more alike than a random map",
    "less alike than a random map",
    "not comparable",
]


@dataclass(frozen=True)
class JudgedAgreement:
    """One measure of two maps, and what controls give; NaN where it is not defined.

    low, high: the band of `LEVEL` of the displaced copies.
    centre: of the one of the two maps that is more like a blot in the centre.
    even: of the one that is less like an even map, since diffuse maps are like any other.
    """

    value: float
    low: float
    high: float
    centre: float
    even: float
    verdict: Verdict

    @property
    def alike(self) -> bool:
        """Whether the two maps are clearly outside of all controls, towards each other."""
        return self.verdict in ("alike", "the same map")

    @property
    def margin(self) -> float:
        """How far the value lies beyond the band's middle, in half bands; inf without a band."""
        half = (self.high - self.low) / 2
        return abs(self.value - (self.high + self.low) / 2) / half if half > 0 else float("inf")


def judged_agreement(
    first: Float[np.ndarray, "rows cols"], second: Float[np.ndarray, "rows cols"], measure: str
) -> JudgedAgreement:
    """One measure of `AGREEMENT_MEASURES`, beside its controls. No chance: always the same.

    Raises ValueError that lists the measures, for a value that is not finite, and for maps of
    other shapes.
    """
    return judged_pairs((first, second), measure)[0, 1]


def judged_pairs(
    images: Sequence[Float[np.ndarray, "rows cols"]],
    measure: str,
    centre: Float[np.ndarray, "rows cols"] | None = None,
) -> dict[tuple[int, int], JudgedAgreement]:
    """Every pair (i, j) of maps with i < j; see `judged_agreement`.

    centre: a blot in the centre, where the maps' own middle is none, as of several images in a row.
    """
    if measure not in AGREEMENT_MEASURES:
        raise ValueError(f"Measure {measure!r}; allowed: {', '.join(AGREEMENT_MEASURES)}.")
    controls = [_with_controls(image, measure, centre) for image in images]
    return {
        (i, j): _judged(images[i], images[j], measure, controls[i], controls[j])
        for i, j in combinations(range(len(images)), 2)
    }


def _with_controls(
    image: Float[np.ndarray, "rows cols"],
    measure: str,
    centre: Float[np.ndarray, "rows cols"] | None,
) -> tuple[float, float]:
    rows, cols = image.shape
    middle = centre_map((rows, cols)) if centre is None else centre
    others = middle, np.ones((rows, cols), np.float32)
    with_centre, with_even = (float(getattr(agreement(image, one), measure)) for one in others)
    return with_centre, with_even


def _judged(
    first: Float[np.ndarray, "rows cols"],
    second: Float[np.ndarray, "rows cols"],
    measure: str,
    controls: tuple[float, float],
    others: tuple[float, float],
) -> JudgedAgreement:
    value = float(getattr(agreement(first, second), measure))
    displaced = displaced_agreements(first, second, measure)
    tail = (1 - LEVEL) / 2
    low = float(np.quantile(displaced, tail, method="lower"))
    high = float(np.quantile(displaced, 1 - tail, method="higher"))
    centre, even = (
        sorted((one for one in pair if np.isfinite(one)), key=lambda one: _distance(measure, one))
        for pair in zip(controls, others, strict=True)
    )
    nan = float("nan")
    nearer, farther = centre[0] if centre else nan, even[-1] if even else nan
    verdict = _verdict(first, second, measure, (value, low, high, nearer, farther))
    return JudgedAgreement(value, low, high, nearer, farther, verdict)


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


def _distance(measure: str, value: float) -> float:
    """The value turned so that less is more alike."""
    what = AGREEMENT_MEASURES[measure]
    return value if what.best == what.low else -value


def _verdict(
    first: Float[np.ndarray, "rows cols"],
    second: Float[np.ndarray, "rows cols"],
    measure: str,
    numbers: tuple[float, float, float, float, float],
) -> Verdict:
    """numbers: value, low, high, centre and even of `JudgedAgreement`."""
    if not np.isfinite(numbers[:3]).all():
        return "not comparable"
    if _is_multiple(first, second):
        return "the same map"
    value, low, high, centre, even = (_distance(measure, one) for one in numbers)
    near, far = sorted((low, high))
    # Wherever an even map is displaced to, it stays the same.
    if far - near <= _ROUNDING:
        return "no more alike than an even map"
    if value > far + _ROUNDING:
        return "less alike than a random map"
    if value >= near - _ROUNDING:
        return "no more alike than a random map"
    # Comparing with a control that is not defined is false.
    if value >= even - _ROUNDING:
        return "no more alike than an even map"
    if value >= centre - _ROUNDING:
        return "no more alike than a map in the centre"
    return "alike"


def _is_multiple(
    first: Float[np.ndarray, "rows cols"], second: Float[np.ndarray, "rows cols"]
) -> bool:
    """Whether one map is the other times a positive number, to float32's rounding."""
    scales = [float(np.abs(one).max()) for one in (first, second)]
    if 0.0 in scales:
        return False
    return bool(np.allclose(first / scales[0], second / scales[1], rtol=0, atol=1e-6))
