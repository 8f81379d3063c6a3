"""What a map looks like: where its mass lies, and how concentrated it is. Raw values throughout.

Borders, halves and bodies are an image's own: of several images each map is measured alone, and
shares are of its own mass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.metrics.localisation import mask_coverage

Mark = Literal["good", "acceptable", "poor"]

# MedGemma Visualizer documentation: (good, acceptable) limits.
INSIDE_BODY = (0.7, 0.5)  # at least
BORDER = (0.05, 0.1)  # at most
FOCUSED, DIFFUSE = 3.0, 4.0  # entropy in nats, of 256 cells: below focused, above diffuse
CLEAR_PEAK = 5.0
SINK_SHARE = 0.2  # of a map's mass in one cell, in most maps: an attention sink


@dataclass(frozen=True)
class MapQuality:
    """Numbers of one map m; P = m clipped at 0, over its sum. NaN where there is no mass.

    inside_body: share of P on the body. NaN without a body mask.
    border: share of P on the outermost ring of cells, corners counted once.
    entropy: -sum P ln P in nats; entropy_share: of ln n, its largest value.
    peak_ratio: largest over mean value. gini: Gini coefficient of P, 0 even to 1 in one cell.
    right, left: shares of P on the halves of the image (image sides, not the patient's).
    apical, middle, basal: shares on thirds of the height, top to bottom.
    quadrants: shares, image's upper left, upper right, lower left, lower right.
    focus: largest share that a window of a quarter of the height and width holds.
    """

    inside_body: float
    border: float
    entropy: float
    entropy_share: float
    peak_ratio: float
    gini: float
    left: float
    right: float
    apical: float
    middle: float
    basal: float
    quadrants: tuple[float, float, float, float]
    focus: float

    @property
    def inside_body_mark(self) -> Mark | None:
        """At least 0.7 is good, 0.5 acceptable; None without a number."""
        return _mark(-self.inside_body, -INSIDE_BODY[0], -INSIDE_BODY[1])

    @property
    def border_mark(self) -> Mark | None:
        """At most 0.05 is good, 0.1 acceptable."""
        return _mark(self.border, *BORDER)

    @property
    def entropy_mark(self) -> Mark | None:
        """Below 3 nats focused, which is good; above 4 diffuse, which is poor."""
        return _mark(self.entropy, FOCUSED, DIFFUSE)

    @property
    def peak_mark(self) -> Mark | None:
        """Above 5 the peak is clear, which is good; there is no worse than acceptable."""
        return None if np.isnan(self.peak_ratio) else _good_if(self.peak_ratio > CLEAR_PEAK)


def map_quality(
    image: Float[np.ndarray, "rows cols"],
    body: Bool[np.ndarray, "height width"] | None = None,
) -> MapQuality:
    """Measure a raw map; `body` is a mask in pixels, stretched over the same picture.

    The mask is area-averaged to the grid, and the map is not masked or normalised before.
    Raises ValueError when a value is not finite.
    """
    if not np.isfinite(image).all():
        raise ValueError("The map holds values that are not finite.")
    m = image.clip(0).astype(np.float64)
    mass = m.sum()
    P = m / mass if mass > 0 else np.full_like(m, np.nan)
    ring = np.ones(m.shape, np.bool_)
    ring[1:-1, 1:-1] = False
    held = P[P > 0]
    entropy = float(-(held * np.log(held)).sum()) if mass > 0 else float("nan")
    covered = np.nan if body is None else mask_coverage(body, cast(tuple[int, int], m.shape))
    halves, thirds = (0.0, 0.5, 1.0), (0.0, 1 / 3, 2 / 3, 1.0)
    left, right = _shares(P.sum(0), halves)
    apical, middle, basal = _shares(P.sum(1), thirds)
    upper, lower = (_shares(_cut(P, *half), halves) for half in ((0.0, 0.5), (0.5, 1.0)))
    return MapQuality(
        inside_body=float((P * covered).sum()),
        border=float(P[ring].sum()),
        entropy=entropy,
        entropy_share=entropy / float(np.log(m.size)) if m.size > 1 else float("nan"),
        peak_ratio=float(m.max() / m.mean()) if mass > 0 else float("nan"),
        gini=_gini(P.ravel()),
        left=left,
        right=right,
        apical=apical,
        middle=middle,
        basal=basal,
        quadrants=(upper[0], upper[1], lower[0], lower[1]),
        focus=_focus(P),
    )


def has_sink(images: Sequence[Float[np.ndarray, "rows cols"]]) -> bool:
    """Whether one and the same cell holds more than a fifth of the mass in most of the maps."""
    if len(images) < 2:
        return False
    # Up to four cells of a map can be so heavy, and the sink need not be its peak.
    m = np.stack(images).clip(0).astype(np.float64)
    heavy = m > SINK_SHARE * m.sum((1, 2), keepdims=True)
    return bool((heavy.sum(0) > len(images) / 2).any())


def _mark(value: float, good: float, acceptable: float) -> Mark | None:
    if np.isnan(value):
        return None
    if value <= good:
        return "good"
    return "acceptable" if value <= acceptable else "poor"


def _good_if(clear: bool) -> Mark:
    return "good" if clear else "acceptable"


def _overlap(cells: int, start: float, stop: float) -> Float[np.ndarray, " cells"]:
    """How much of each of the cells lies between two shares of the whole, 0 to 1."""
    edges = np.arange(cells + 1) / cells
    inside = np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start)
    share: Float[np.ndarray, " cells"] = inside.clip(0) * cells
    return share


def _shares(line: Float[np.ndarray, " cells"], cuts: tuple[float, ...]) -> list[float]:
    return [float(line @ _overlap(len(line), *ends)) for ends in pairwise(cuts)]


def _cut(
    P: Float[np.ndarray, "rows cols"], start: float, stop: float
) -> Float[np.ndarray, " cols"]:
    """The columns' sums between two shares of the height."""
    line: Float[np.ndarray, " cols"] = _overlap(P.shape[0], start, stop) @ P
    return line


def _gini(P: Float[np.ndarray, " cells"]) -> float:
    ordered = np.sort(P)
    places = np.arange(1, len(P) + 1)
    return float(((2 * places - len(P) - 1) * ordered).sum() / len(P))


def _focus(P: Float[np.ndarray, "rows cols"]) -> float:
    """The most that a window of a quarter of the height and of the width holds."""
    window = tuple(max(1, round(size / 4)) for size in P.shape)
    windows = np.lib.stride_tricks.sliding_window_view(P, window)
    return float(windows.sum((-1, -2)).max())
