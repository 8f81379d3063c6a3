"""A box that a reader drew, scored against a map, beside the same box at every other place."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from medgemma_dash.metrics.localisation import energy_inside, iou_at, pointing_hit

MOST_SHARED = 0.5  # of a box's cells, with the same box at another place

# A mask of cells is a mask of a picture with a pixel for each cell.
_MEASURES: dict[
    str,
    Callable[[Float[np.ndarray, "rows cols"], Bool[np.ndarray, "rows cols"]], float | None],
] = {"pointing game": pointing_hit, "energy inside": energy_inside, "overlap": iou_at}
MEASURES = tuple(_MEASURES)


@dataclass(frozen=True)
class BoxScore:
    """A measure of a map against chosen cells; not a number where a map has nothing positive.

    uniform: of a map that is the same everywhere. displaced, low, high: mean, least and most of
    the same cells displaced, not numbers where there is no other place. below: share of the
    displaced ones that score lower, equal ones counted half.
    """

    measure: str
    value: float
    uniform: float
    displaced: float
    low: float
    high: float
    below: float


def box_scores(
    image: Float[np.ndarray, "rows cols"], chosen: Bool[np.ndarray, "rows cols"]
) -> tuple[BoxScore, ...]:
    """Pointing game, energy inside, and overlap with the cells of at least half the peak.

    Raises ValueError on a map that is not finite, or where no cell is chosen.
    """
    copies, flat = displaced_cells(chosen), np.ones(chosen.shape, np.float32)
    found = []
    for name in MEASURES:
        value, uniform = _measured(name, image, chosen), _measured(name, flat, chosen)
        others = np.array([_measured(name, image, copy) for copy in copies])
        if np.isnan(value) or not len(others):
            found.append(BoxScore(name, value, uniform, *[float("nan")] * 4))
            continue
        below = (others < value).mean() + (others == value).mean() / 2
        numbers = (others.mean(), others.min(), others.max(), below)
        found.append(BoxScore(name, value, uniform, *map(float, numbers)))
    return tuple(found)


def displaced_cells(
    chosen: Bool[np.ndarray, "rows cols"],
) -> Bool[np.ndarray, "copies rows cols"]:
    """The same cells at every other place where they fit whole, row by row.

    Only places that share no cell with the chosen ones; of a shape that has none, those that share
    at most half, since others would score much the same. None for a shape that has no such place.
    """
    places = np.argwhere(chosen)
    if not len(places):
        return np.zeros((0, *chosen.shape), np.bool_)
    first, size = places.min(0), np.ptp(places, axis=0) + 1
    apart, beside = [], []
    for down in range(chosen.shape[0] - size[0] + 1):
        for across in range(chosen.shape[1] - size[1] + 1):
            copy = np.zeros_like(chosen)
            copy[tuple((places - first + (down, across)).T)] = True
            shared = (copy & chosen).sum()
            if shared == 0:
                apart.append(copy)
            elif shared <= MOST_SHARED * len(places):
                beside.append(copy)
    return np.array(apart or beside, np.bool_).reshape(-1, *chosen.shape)


def _measured(
    name: str, image: Float[np.ndarray, "rows cols"], chosen: Bool[np.ndarray, "rows cols"]
) -> float:
    value = _MEASURES[name](image, chosen)
    return float("nan") if value is None else float(value)
