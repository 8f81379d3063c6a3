"""How alike two maps are, judged by maps that know nothing of the model.

A number such as a Jensen-Shannon divergence of 0.2 means little alone: diffuse maps are close to
each other whatever they show. So each pair is compared with what the same two maps give once one
of them is displaced (every torus shift of the grid, each mirrored both ways: its values and its
smoothness stay, its places are chance; Upton and Fingleton 1985, torus-translation test), and
with how close either of them comes to a blot in the centre and to an even map.

Displacing leaves a random map as random as it was, and so it lies outside of its band in
(1 - LEVEL) / 2 of all cases on either side. Several pairs are looked at together, so a verdict
asks for more than the band's edge, see `MARGIN`; and a map that is a control is never judged.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.centre_prior import centre_map
from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES, agreement
from medgemma_dash.metrics.displaced import displaced_agreements

LEVEL = 0.95  # of the displaced copies that the band holds, as many left out on either side
# How far outside of the band a verdict begins, of the band's width. Of a normal distribution that
# is 2.94 standard deviations from its middle, once in 609: the 15 pairs of six maps together are
# beyond by chance about as often as one pair is beyond the band's edge, once in 40.
MARGIN = 0.25
# At most so much of the way from the band to where a map meets itself (or has its contrary):
# a wide band near that end would leave no room for a verdict.
MOST_OF_THE_WAY = 0.5
# Between sums that are equal but for the order they were made in.
_ROUNDING = 1e-9

Verdict = Literal[
    "the same map",
    "alike",
    "no more alike than a map in the centre",
    "no more alike than an even map",
    "hardly more alike than a random map",
    "no more alike than a random map",
    "less alike than a random map",
    "a control, not judged",
    "not comparable",
]


@dataclass(frozen=True)
class JudgedAgreement:
    """One measure of two maps, and what controls give; NaN where it is not defined.

    low, high: the band of `LEVEL` of the displaced copies.
    centre, even: of the one of the two maps that is more like a blot in the centre, and like an
        even map.
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
    def judged(self) -> bool:
        """Whether there is a verdict: the measure is defined, and neither map is a control."""
        return self.verdict not in ("not comparable", "a control, not judged")

    @property
    def failed_at(self) -> tuple[str, float] | None:
        """The control that the two maps are no nearer than, and its number; None of the band."""
        return {
            "no more alike than a map in the centre": ("with the centre", self.centre),
            "no more alike than an even map": ("with an even map", self.even),
        }.get(self.verdict)

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
    controls: Collection[int] = (),
) -> dict[tuple[int, int], JudgedAgreement]:
    """Every pair (i, j) of maps with i < j; see `judged_agreement`.

    centre: a blot in the centre, where the maps' own middle is none, as of several images in a row.
    controls: which of the maps know nothing of the model; their pairs have numbers, and no verdict.
    """
    if measure not in AGREEMENT_MEASURES:
        raise ValueError(f"Measure {measure!r}; allowed: {', '.join(AGREEMENT_MEASURES)}.")
    beside = [_beside(image, measure, centre) for image in images]
    return {
        (i, j): _judged(
            images[i],
            images[j],
            measure,
            (beside[i], beside[j]),
            control=i in controls or j in controls,
        )
        for i, j in combinations(range(len(images)), 2)
    }


def _beside(
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
    beside: tuple[tuple[float, float], tuple[float, float]],
    *,
    control: bool,
) -> JudgedAgreement:
    value = float(getattr(agreement(first, second), measure))
    displaced = displaced_agreements(first, second, measure)
    tail = (1 - LEVEL) / 2
    low = float(np.quantile(displaced, tail, method="lower"))
    high = float(np.quantile(displaced, 1 - tail, method="higher"))
    centre, even = (
        min(
            (one for one in pair if np.isfinite(one)),
            key=lambda one: _distance(measure, one),
            default=float("nan"),
        )
        for pair in zip(*beside, strict=True)
    )
    numbers = value, low, high, centre, even
    if control and np.isfinite(numbers[:3]).all():
        return JudgedAgreement(*numbers, "a control, not judged")
    return JudgedAgreement(*numbers, _verdict(first, second, measure, numbers))


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
    what = AGREEMENT_MEASURES[measure]
    best, worst = sorted(_distance(measure, end) for end in (what.low, what.high))
    towards, away = (
        min(MARGIN * (far - near), MOST_OF_THE_WAY * room) for room in (near - best, worst - far)
    )
    if value > far + away + _ROUNDING:
        return "less alike than a random map"
    if value >= near - _ROUNDING:
        return "no more alike than a random map"
    if value >= near - towards - _ROUNDING:
        return "hardly more alike than a random map"
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
