"""What chance gives, and whether a map does better."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import t

LEVEL = 0.95

Verdict = Literal["yes", "not shown", "no"]


@dataclass(frozen=True)
class Chance:
    """A figure of several random rankings.

    low, high: where one more ranking would lie in `LEVEL` of all cases, by a prediction interval
        that is never narrower than the draws themselves, which may be skewed.
    mean_low, mean_high: where the mean of endlessly many lies, in as many cases.
    """

    mean: float
    low: float
    high: float
    mean_low: float
    mean_high: float
    draws: int


def chance_of(values: Sequence[float], level: float = LEVEL) -> Chance:
    """Chance by its draws, in pairs of a ranking and its reverse, as `chance_rankings` makes them.

    The pairs are independent, their halves are not: a figure's variance is that of the pairs' means
    and that of the halves about them, and Welch and Satterthwaite's degrees of freedom go with it.
    Raises ValueError for fewer than two pairs.
    """
    n = len(values) // 2
    if len(values) % 2 or n < 2:
        raise ValueError("Chance is told from two pairs of random rankings at least.")
    pairs = np.reshape(values, (n, 2))
    means, halves = pairs.mean(1), (pairs[:, 0] - pairs[:, 1]) / 2
    mean, of_means = float(means.mean()), float(means.var(ddof=1))
    between, within = of_means * (1 + 1 / n), float(np.mean(halves**2))
    freedom = _freedom((between, n - 1), (within, n))
    one = float(t.ppf((1 + level) / 2, freedom)) * np.sqrt(between + within)
    many = float(t.ppf((1 + level) / 2, n - 1)) * np.sqrt(of_means / n)
    return Chance(
        mean=mean,
        low=min(mean - one, *values),
        high=max(mean + one, *values),
        mean_low=mean - many,
        mean_high=mean + many,
        draws=len(values),
    )


def _freedom(*parts: tuple[float, int]) -> float:
    """Of a sum of variances, each with its own degrees of freedom."""
    spent = sum(variance**2 / freedom for variance, freedom in parts)
    least = min(freedom for _, freedom in parts)
    return float(sum(variance for variance, _ in parts) ** 2 / spent) if spent > 0 else float(least)


def better_than_chance(
    gain: float, image_effect: float, least_effect: float, chances: Sequence[Chance]
) -> Verdict:
    """Whether a map's gain is above what each kind of random ranking gives.

    "yes": above every band. "no": not even above the mean of one of them. "not shown": between,
    and wherever the word owes the image less than `least_effect`, since then there is nothing that
    a map could mark.
    """
    if image_effect < least_effect:
        return "not shown"
    if any(gain <= chance.mean for chance in chances):
        return "no"
    return "yes" if all(gain > chance.high for chance in chances) else "not shown"


def over_all(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict of several removals: what all of them say; "not shown" else, and of none."""
    return verdicts[0] if len({*verdicts}) == 1 else "not shown"
