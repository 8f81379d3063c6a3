"""What a map says, in one sentence from its numbers: a zone, spread, outside the lungs, weak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.numbers import number
from medgemma_dash.core.relevance import KnownRelevance
from medgemma_dash.metrics.map_quality import map_quality
from medgemma_dash.regions import ZoneRow, ZoneTable
from medgemma_dash.services.explaining.word_shares import image_share

# A zone is named when it holds this many times what its area alone would bring it, and this much
# of the map: both, since a small zone is easily dense and a large one easily heavy.
ZONE_FACTOR, ZONE_SHARE = 2.5, 0.2
# Of an even map's entropy, from there on: random and centre maps have 95% to 97%. From 72% on maps
# are "diffuse" (`map_quality.DIFFUSE`), and so are those of most methods (Chefer: 81%).
NEARLY_EVEN = 0.95
MOSTLY = 0.6  # of the map outside the lungs
# A map is weak whose peak and share are both below these, of the medians over the answer's other
# words; and one whose peak is below the last alone.
WEAK_PEAK, WEAK_SHARE, FAINT_PEAK = 0.5, 0.8, 0.2
FEWEST_WORDS = 3  # that a median is worth something of


@dataclass(frozen=True)
class Strength:
    """A map's raw strength beside those of the answer's other words by the same method.

    peak: the highest relevance of one cell. share: of its positive relevance, what lies on images.
    strongest: the highest peak of all, this one included.
    usual_peak, usual_share: medians over the other words, of which `words` are known.
    every: whether these are all.
    """

    peak: float
    share: float
    strongest: float
    usual_peak: float
    usual_share: float
    words: int
    every: bool = True

    @property
    def relative(self) -> float:
        """Peak over the strongest word's peak, 0 to 1."""
        return self.peak / self.strongest if self.strongest > 0 else 0.0

    @property
    def weak(self) -> bool:
        """Whether it is far below what is usual in this answer."""
        low_share = self.share < WEAK_SHARE * self.usual_share
        least = WEAK_PEAK if low_share else FAINT_PEAK
        return self.peak < least * self.usual_peak

    @property
    def in_words(self) -> str:
        """The numbers in one sentence."""
        return (
            f"Highest cell {number(self.peak)}, {percent(self.relative)} of the answer's strongest "
            f"word ({number(self.strongest)}); the median of its {self.words} other words is "
            f"{number(self.usual_peak)}. On the image {percent(self.share)}, their median "
            f"{percent(self.usual_share)}."
        )


@dataclass(frozen=True)
class Headline:
    """What is to be said of a map; see the constants above for when.

    share: of the target's positive relevance, what lies on images; None where there is none.
    zone: the densest zone, if it is to be named.
    nearly_even: whether its entropy is nearly an even map's.
    half_on: the share of the picture, brightest cells first, that holds half of the map.
    peak_ratio: the highest cell over the mean one.
    outside: share outside the lungs, if it is to be said; None without lungs.
    on: which of several images zones and entropy are of; "" of one.
    note: why no zone can be named; "" where one could.
    """

    share: float | None
    zone: ZoneRow | None
    nearly_even: bool
    half_on: float
    peak_ratio: float
    outside: float | None
    on: str
    note: str
    strength: Strength | None

    @property
    def text(self) -> str:
        """One or two sentences; "" where the target has no relevance at all."""
        if self.share is None:
            return ""
        said = f"{percent(self.share)} of its relevance lies on the image{'s' if self.on else ''}"
        of_that = f"of what lies on {self.on}" if self.on else "of that"
        said += self._where(of_that) + "."
        if self.strength is not None and self.strength.weak:
            usual = percent(self.strength.peak / self.strength.usual_peak)
            among = "in this answer" if self.strength.every else "among the words known so far"
            said += f" It is weak: its highest cell has {usual} of what is usual {among}."
        return f"{said} {self.note}".rstrip()

    def _where(self, of_that: str) -> str:
        # Colours end at a map's own peak: the bright cells of such a map are little above it.
        peak = f"brightest cell {self.peak_ratio:.1f} times the mean"
        if self.zone is not None:
            times = f"{self.zone.density:.2g} times its share of the picture"
            named = f", {percent(self.zone.share)} {of_that} inside {zone_phrase(self.zone.name)}"
            rest = "" if self.outside is None else f"; {percent(self.outside)} outside the lungs"
            return f"{named}, {times}{rest}"
        if self.outside is not None:
            even, how = ("nearly even and ", f"; {peak}") if self.nearly_even else ("", "")
            return f", {even}mostly outside the lungs ({percent(self.outside)} {of_that}{how})"
        if self.nearly_even:
            half = f"half of it on the brightest {percent(self.half_on)} of the picture"
            return f", nearly even: {half}, where an even map has 50% ({peak})"
        return "" if self.note else ", in no one zone"


def headline(
    explanation: Explanation, zones: ZoneTable, strength: Strength | None = None
) -> Headline:
    """Judge an explanation; zones: of its current image. strength: where other words are known."""
    quality = map_quality(explanation.image)
    nearly_even = bool(quality.entropy_share >= NEARLY_EVEN)
    outside_area = 1 - sum(row.area for row in zones.rows)
    # A map that is nearly even lies outside of the lungs because most of the picture does.
    tells = zones.of_lungs and zones.outside_share >= MOSTLY
    tells = tells and (not nearly_even or zones.outside_share > outside_area)
    return Headline(
        share=image_share(explanation),
        zone=named_zone(zones),
        nearly_even=nearly_even,
        half_on=_half_on(explanation.image),
        peak_ratio=quality.peak_ratio,
        outside=zones.outside_share if tells else None,
        on=explanation.image_names[-1],
        note="" if zones.rows else zones.note,
        strength=strength,
    )


def named_zone(zones: ZoneTable) -> ZoneRow | None:
    """The zone that holds most for its area, if the map is clearly in it; see `ZONE_FACTOR`."""
    densest = zones.densest
    if densest is None or densest.density < ZONE_FACTOR or densest.share < ZONE_SHARE:
        return None
    return densest


def strength_of(
    explanation: Explanation,
    answer: Answer,
    relevancy: Float[np.ndarray, "tokens positions"],
    filled: Bool[np.ndarray, " tokens"],
) -> Strength | None:
    """The explanation beside the answer's other words that are known by the same method; None
    while they are fewer than `FEWEST_WORDS`, where the target has no relevance, and for a contrast,
    which is no word's map and has another scale.
    """
    if explanation.target.contrastive:
        return None
    share = image_share(explanation)
    target = set(explanation.target.token_indices)
    beside = [
        (start, stop)
        for start, stop in answer.units
        if not target & set(range(start, stop))
        and not all(token.special for token in answer.tokens[start:stop])
    ]
    others = [
        _peak_and_share(answer, relevancy[start:stop].mean(0))
        for start, stop in beside
        if filled[start:stop].all()
    ]
    if share is None or len(others) < FEWEST_WORDS:
        return None
    peak = max(0.0, *(float(image.max()) for image in explanation.images))
    peaks, shares = zip(*others, strict=True)
    return Strength(
        peak,
        share,
        strongest=max(peak, *peaks),
        usual_peak=float(np.median(peaks)),
        usual_share=float(np.median(shares)),
        words=len(others),
        every=len(others) == len(beside),
    )


def strongest_peak(answer: Answer, known: KnownRelevance) -> float:
    """The largest magnitude that a known word of the answer has on a cell, or on a patch where
    the method sees patches: the end of one colour scale for all words. 0 where none is known.
    """
    fine = known.relevance.fine
    maps = fine or [known.relevancy[:, slice(*image.span)] for image in answer.images]
    return max(
        (
            float(np.abs(one[start:stop].mean(0)).max())
            for start, stop in answer.units
            if known.filled[start:stop].all()
            for one in maps
        ),
        default=0.0,
    )


def percent(share: float) -> str:
    """A share as whole percents."""
    return f"{100 * share:.0f}%"


def zone_phrase(name: str) -> str:
    """Right lower: the patient's right lower zone. Image left mid: the image left mid zone."""
    if name.startswith("Image "):
        return f"the {name.lower()} zone"
    return f"the patient's {name.lower()} zone"


def _half_on(image: Float[np.ndarray, "rows cols"]) -> float:
    held = np.cumsum(np.sort(image.clip(0).astype(np.float64), axis=None)[::-1])
    return float((held < held[-1] / 2).sum() + 1) / held.size


def _peak_and_share(answer: Answer, row: Float[np.ndarray, " positions"]) -> tuple[float, float]:
    positive = row.clip(0).astype(np.float64)
    images = [positive[slice(*image.span)] for image in answer.images]
    whole = float(positive.sum())
    on_images = sum(float(image.sum()) for image in images)
    return max(float(image.max()) for image in images), on_images / whole if whole > 0 else 0.0
