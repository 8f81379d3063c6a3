"""How alike two maps are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float
from scipy.stats import rankdata

TOP_SHARE = 0.20  # of the cells, for the overlap


@dataclass(frozen=True)
class AgreementMeasure:
    """What a field of `Agreement` means.

    low, high: its range; high is infinite where there is no bound. best: of a map with itself.
    """

    title: str
    help: str
    low: float
    high: float
    best: float


@dataclass(frozen=True)
class Agreement:
    """Two maps compared; NaN where a number is not defined (a constant or an empty map).

    divergence: Jensen-Shannon divergence of the positive parts as distributions, in nats,
        0 to ln 2; the Jensen-Shannon distance is its root.
    pearson, spearman, cosine: of the raw values, signs included.
    top_overlap: intersection over union of the top 20% of cells. Cells that tie with the last
        one of them all count; cells that are not positive never do, or sparse maps, most of whose
        cells tie at zero, would overlap whatever they show.
    peak_distance: Euclidean distance of the two peaks, in cells; of equal peaks the first counts.
    """

    divergence: float
    pearson: float
    spearman: float
    cosine: float
    top_overlap: float
    peak_distance: float

    @property
    def in_words(self) -> str:
        """The divergence in words, see `divergence_in_words`."""
        return divergence_in_words(self.divergence)


AGREEMENT_MEASURES: Mapping[str, AgreementMeasure] = MappingProxyType(
    {
        "divergence": AgreementMeasure(
            "Jensen-Shannon divergence",
            "Jensen-Shannon divergence of the positive parts, in nats: 0 for equal maps, 0.69 for "
            "maps without overlap. As published, without a control: below 0.1 nearly identical, "
            "below 0.3 similar, below 0.5 moderately different, else significantly.",
            0.0,
            float(np.log(2)),
            0.0,
        ),
        "pearson": AgreementMeasure(
            "Pearson", "Linear correlation of the raw values.", -1.0, 1.0, 1.0
        ),
        "spearman": AgreementMeasure(
            "Spearman", "Correlation of the cells' ranks.", -1.0, 1.0, 1.0
        ),
        "cosine": AgreementMeasure(
            "Cosine", "Cosine of the raw values as vectors.", -1.0, 1.0, 1.0
        ),
        "top_overlap": AgreementMeasure(
            "Top 20%", "Overlap (intersection over union) of the top 20% of cells.", 0.0, 1.0, 1.0
        ),
        "peak_distance": AgreementMeasure(
            "Peak distance", "Distance between the two peaks, in cells.", 0.0, float("inf"), 0.0
        ),
    }
)


# Below which divergence a pair is called what, without a control.
PUBLISHED_SCALE = ((0.1, "nearly identical"), (0.3, "similar"), (0.5, "moderately different"))


def divergence_in_words(divergence: float) -> str:
    """A Jensen-Shannon divergence on the scale as published (MedGemma Visualizer documentation,
    6.3). It knows no control: a diffuse map is "similar" to a random one. To judge, see
    `agreement_controls`.
    """
    if not np.isfinite(divergence):
        return "not comparable"
    return next(
        (word for end, word in PUBLISHED_SCALE if divergence < end), "significantly different"
    )


def agreement(
    first: Float[np.ndarray, "rows cols"], second: Float[np.ndarray, "rows cols"]
) -> Agreement:
    """Compare two raw maps of one shape; raises ValueError when a value is not finite."""
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("A map holds values that are not finite.")
    a, b = first.astype(np.float64).ravel(), second.astype(np.float64).ravel()
    return Agreement(
        divergence=_divergence(a, b),
        pearson=_correlation(a, b),
        spearman=_correlation(rankdata(a), rankdata(b)),
        cosine=_cosine(a, b),
        top_overlap=_overlap(top_cells(a), top_cells(b)),
        peak_distance=_peak_distance(a.reshape(first.shape), b.reshape(first.shape)),
    )


def agreement_matrix(
    images: Sequence[Float[np.ndarray, "rows cols"]], measure: str
) -> Float[np.ndarray, "maps maps"]:
    """One field of `Agreement` for every pair of maps; a map with itself has the best value.

    Raises ValueError that lists the measures.
    """
    if measure not in AGREEMENT_MEASURES:
        raise ValueError(f"Measure {measure!r}; allowed: {', '.join(AGREEMENT_MEASURES)}.")
    values = np.full((len(images), len(images)), AGREEMENT_MEASURES[measure].best)
    for i, first in enumerate(images):
        for j, second in enumerate(images[:i]):
            values[i, j] = values[j, i] = getattr(agreement(first, second), measure)
    return values


def mass_difference(
    first: Float[np.ndarray, "rows cols"], second: Float[np.ndarray, "rows cols"]
) -> Float[np.ndarray, "rows cols"]:
    """Each map's positive part over its sum, one less the other; float32."""
    shares = [one.clip(0).astype(np.float64) for one in (first, second)]
    shares = [one / (one.sum() or 1.0) for one in shares]
    difference: Float[np.ndarray, "rows cols"] = (shares[0] - shares[1]).astype(np.float32)
    return difference


def _divergence(a: Float[np.ndarray, " cells"], b: Float[np.ndarray, " cells"]) -> float:
    P, Q = a.clip(0), b.clip(0)
    if P.sum() == 0 or Q.sum() == 0:
        return float("nan")
    P, Q = P / P.sum(), Q / Q.sum()
    M = (P + Q) / 2
    # Rounding may leave a negative zero.
    return max(0.0, float((_relative_entropy(P, M) + _relative_entropy(Q, M)) / 2))


def _relative_entropy(P: Float[np.ndarray, " cells"], M: Float[np.ndarray, " cells"]) -> float:
    held = P > 0
    return float((P[held] * np.log(P[held] / M[held])).sum())


def _correlation(a: Float[np.ndarray, " cells"], b: Float[np.ndarray, " cells"]) -> float:
    # A constant map less its mean is rounding, and rounding correlates with anything.
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return _cosine(a - a.mean(), b - b.mean())


def _cosine(a: Float[np.ndarray, " cells"], b: Float[np.ndarray, " cells"]) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 0 else float("nan")


def top_cells(values: Float[np.ndarray, " cells"]) -> Bool[np.ndarray, " cells"]:
    """The cells that `Agreement.top_overlap` compares."""
    count = max(1, round(TOP_SHARE * len(values)))
    least = np.partition(values, -count)[-count]
    top: Bool[np.ndarray, " cells"] = (values >= least) & (values > 0)
    return top


def _overlap(a: Bool[np.ndarray, " cells"], b: Bool[np.ndarray, " cells"]) -> float:
    if not (a.any() and b.any()):
        return float("nan")
    return float((a & b).sum() / (a | b).sum())


def _peak_distance(a: Float[np.ndarray, "rows cols"], b: Float[np.ndarray, "rows cols"]) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    peaks = [np.array(np.unravel_index(int(np.argmax(m)), m.shape)) for m in (a, b)]
    return float(np.linalg.norm(peaks[0] - peaks[1]))
