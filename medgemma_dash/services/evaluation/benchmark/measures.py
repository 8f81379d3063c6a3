"""What is measured of a word's map, and the record that holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

NAN = float("nan")

# Maps that no model made and no method registers, which figures stand beside: name to title.
BLURRED, LESION = "blurred_random", "lesion"
OWN_CONTROLS: Mapping[str, str] = MappingProxyType(
    {BLURRED: "Blurred random map (control)", LESION: "The lesion itself (ceiling)"}
)

Question = Literal["place", "model", "reference", "shape", "cost"]


@dataclass(frozen=True)
class Observation:
    """One word of one right answer, explained by one method. NaN: not defined, or not measured.

    radiograph: the synthetic picture's seed, or the sha256 of a user's pixels.
    failure: why there is no map, "" where there is one. A word without a map is a miss: 0 in
    every measure of place; for the model, as if it had marked nothing. It has no shape, and
    agrees with nothing.
    p, p_blank: the word's probability with the image, and with every soft token removed.
    The other fields are explained in MEASURES.
    """

    radiograph: str
    finding: str
    kind: str
    word: str
    method: str
    failure: str
    p: float
    p_blank: float
    comprehensiveness: float
    sufficiency: float
    above_random: float
    pointing: float = 0.0
    energy: float = 0.0
    iou_best: float = 0.0
    iou_half: float = 0.0
    auprc: float = 0.0
    spearman: float = NAN
    divergence: float = NAN
    inside_body: float = NAN
    entropy: float = NAN
    peak_ratio: float = NAN
    gini: float = NAN
    border: float = NAN
    seconds: float = NAN


@dataclass(frozen=True)
class Measure:
    """A field of `Observation` that is averaged.

    question: what it helps to answer. better: which end is good, "" where neither is.
    percent: shown as a percentage.
    """

    name: str
    title: str
    question: Question
    better: Literal["high", "low", ""]
    help: str
    percent: bool = False


MEASURES = (
    Measure("pointing", "peak on lesion", "place", "high",
            "pointing game: the peak lies inside the lesion, dilated by one cell", percent=True),
    Measure("energy", "energy inside", "place", "high",
            "share of the positive relevance inside the lesion", percent=True),
    Measure("iou_best", "IoU, best", "place", "high",
            "overlap of the lesion's area and the cells above the threshold that suits it best"),
    Measure("iou_half", "IoU, half peak", "place", "high",
            "overlap of the lesion's area and the cells of at least half the peak"),
    Measure("auprc", "AUPRC", "place", "high",
            "average precision of the map's values for the lesion's area"),
    Measure("comprehensiveness", "comprehensiveness", "model", "high",
            "p(word) less p(word without the top 20% of cells)"),
    Measure("sufficiency", "sufficiency", "model", "low",
            "p(word) less p(word with the top 20% only)"),
    Measure("above_random", "above random", "model", "high",
            "share of ten random choices of as many cells whose comprehensiveness is lower",
            percent=True),
    Measure("spearman", "Spearman", "reference", "high", "rank correlation with occlusion's map"),
    Measure("divergence", "Jensen-Shannon", "reference", "low",
            "divergence of the positive parts from occlusion's, in nats, at most 0.69"),
    Measure("inside_body", "inside body", "shape", "high",
            "share of the positive relevance on the body", percent=True),
    Measure("entropy", "entropy", "shape", "", "in nats; an even map of 256 cells has 5.55"),
    Measure("peak_ratio", "peak / mean", "shape", "", "above 5 the peak stands out"),
    Measure("gini", "Gini", "shape", "", "0 even, 1 all in one cell"),
    Measure("border", "border", "shape", "low",
            "share of the positive relevance on the outermost ring of cells", percent=True),
    Measure("seconds", "seconds", "cost", "low",
            "time for a word, the answer's replay at hand and its words explained in one batch"),
)  # fmt: skip
