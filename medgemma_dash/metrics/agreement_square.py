"""Judged agreements of several maps as squares of maps by maps, for figures and tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from medgemma_dash.metrics.agreement import divergence_in_words
from medgemma_dash.metrics.agreement_controls import JudgedAgreement

BAND_HELP = (
    "Below each number: 95% of what the same two maps give when one of them is shifted to other "
    "places, wrapped at the edges, and mirrored. Bold: clearly more alike than that, by a quarter "
    "of the band's width, and nearer to each other than either is to a blot in the centre or to an "
    "even map. Pairs with a control are never judged."
)


DECIMALS, MOST_DECIMALS = 2, 5
# With an even map every displaced copy gives the same, but for the order of the sum.
_ROUNDING = 1e-9


def telling_decimals(value: float, band: Sequence[float] | None, fewest: int = DECIMALS) -> int:
    """So many that the number is not written as an end of its band, a control, or a target, that
    it is not.

    Nearly even maps are 0.001 apart, and their controls too: at two decimals all of it is 0.00.
    """
    for decimals in range(fewest, MOST_DECIMALS):
        if not any(
            abs(end - value) > _ROUNDING and f"{end:.{decimals}f}" == f"{value:.{decimals}f}"
            for end in band or ()
        ):
            return decimals
    return MOST_DECIMALS


@dataclass(frozen=True, eq=False)
class JudgedSquare:
    """All pairs as squares of maps by maps: numbers, and the cells' judgements; None on the
    diagonal, where a map meets itself.
    """

    values: Float[np.ndarray, "maps maps"]
    cells: tuple[tuple[JudgedAgreement | None, ...], ...]

    @property
    def bands(self) -> list[list[tuple[float, float] | None]]:
        """Low and high of each pair's controls."""
        return [[None if one is None else (one.low, one.high) for one in row] for row in self.cells]

    @property
    def clear(self) -> list[list[bool]]:
        """Which pairs are alike."""
        return [[one is not None and one.alike for one in row] for row in self.cells]

    def words(self, measure: str) -> list[list[str]]:
        """The verdict of each pair, and its controls; of a divergence the published scale too."""
        return [[_told(one, measure) for one in row] for row in self.cells]


def judged_square(
    pairs: Mapping[tuple[int, int], JudgedAgreement], count: int, best: float
) -> JudgedSquare:
    """The pairs of `judged_pairs` for figures; best: what a map gives with itself."""
    values = np.full((count, count), best)
    cells: list[list[JudgedAgreement | None]] = [[None] * count for _ in range(count)]
    for (i, j), found in pairs.items():
        values[i, j] = values[j, i] = found.value
        cells[i][j] = cells[j][i] = found
    return JudgedSquare(values, tuple(tuple(row) for row in cells))


def _told(found: JudgedAgreement | None, measure: str) -> str:
    if found is None:
        return "the same map"
    parts: list[str] = [found.verdict]
    digits = telling_decimals(found.value, (found.low, found.high))
    low, high, centre, even = (
        f"{one:.{digits}f}" for one in (found.low, found.high, found.centre, found.even)
    )
    if np.isfinite(found.low):
        parts.append(f"displaced {low} to {high}")
    if np.isfinite(found.centre):
        parts.append(f"with the centre {centre}")
    if np.isfinite(found.even):
        parts.append(f"with an even map {even}")
    if measure == "divergence":
        parts.append(f"published scale: {divergence_in_words(found.value)}")
    return "<br>".join(parts)
