"""Gas in stomach or bowel, dark as lung, below the thin bright line of the diaphragm: an outline
that runs on into it takes it for the lung's lowest part.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float32

# Columns and rows where the line is looked for, as shares of the outline's reach and height.
_COLUMNS = np.linspace(0.5, 0.85, 12)
_ROWS = (0.45, 0.82)
_DOME = 0.83  # where the diaphragm's dome stands in the outline over the heart's side
# By how much of the picture the outline must go deeper than the one over the liver, where the
# diaphragm is higher, and by how many standard deviations the line must be brighter than what is
# above and below it, in four of five columns. A real film with gas has 0.06 and 0.78; of two other
# real ones and 280 synthetic ones none is deeper by more than 0.02, and without a consolidation
# the line is 0.3 at most.
_DEEPER = 0.03
_BRIGHTER = 0.6
_COLUMNS_WITHOUT = 0.2


def base_above_gas(
    square: Float32[np.ndarray, "side side"],
    middle: float,
    over_liver: Float[np.ndarray, " 3"],
    other: Float[np.ndarray, " 3"],
) -> float | None:
    """How deep the outline on the image's right reaches if it ends at the line inside it; None
    where it holds no gas.

    square: the film, dense parts bright, in standard deviations. middle: the spine, as a share of
    the width. over_liver, other: apex, base and reach of both outlines.
    """
    apex, base, reach = (float(value) for value in other)
    if base - float(over_liver[1]) <= _DEEPER:
        return None
    side = len(square)
    first, last = (round((apex + share * (base - apex)) * side) for share in _ROWS)
    columns = np.clip((middle + reach * _COLUMNS) * side, 0, side - 1).astype(np.intp)
    strip = square[first:last, columns]
    above = np.minimum.accumulate(strip, axis=0)
    below = np.minimum.accumulate(strip[::-1], axis=0)[::-1]
    line = strip - np.maximum(above, below)
    if np.quantile(line.max(axis=0), _COLUMNS_WITHOUT) < _BRIGHTER:
        return None
    at = (first + float(np.median(line.argmax(axis=0)))) / side
    return apex + (at - apex) / _DOME
