"""Whether what two outlines enclose is a chest: both sides alike, beside something dense."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32

# Noise in blots as large as lesions has a rim like a lung's somewhere, but not on both sides of
# something dense: the upper half of a chest is like its mirror image (correlation of 0.5 and more
# on real and synthetic films, tilted ones and those with a white lung included; in noise 0.1, the
# median), and what lies between the lungs is denser than the darker one, by 0.94 standard
# deviations and more.
_LEAST_LIKENESS = 0.4
_LEAST_DENSITY = 0.9


def is_chest(
    square: Float32[np.ndarray, "side side"],
    middle: float,
    seen: tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]],
    masks: tuple[Bool[np.ndarray, "side side"], Bool[np.ndarray, "side side"]],
) -> bool:
    """Whether both sides are alike and lie beside something dense, as lungs do and noise does not.

    seen, masks: the placings as they were found, nothing completed, and what they enclose.
    """
    size = len(square)
    apex, (_, base, reach) = min(one[0] for one in seen), np.max(seen, axis=0)
    top, bottom, spine = round(apex * size), round(base * size), round(middle * size)
    wide, narrow = min(round(reach * size), spine, size - spine), round(0.1 * reach * size)
    upper = square[top : (top + bottom) // 2, spine - wide : spine + wide].astype(np.float64)
    # A film that grows lighter towards one side, as one taken askew does, is level first.
    across = np.arange(2 * wide) - (wide - 0.5)
    upper -= across * (upper.mean(axis=0) @ across / (across @ across))
    left, right = upper[:, :wide][:, ::-1].ravel(), upper[:, wide:].ravel()
    if left.std() == 0 or right.std() == 0:
        return False
    likeness = np.corrcoef(left, right)[0, 1]
    between = square[top + (bottom - top) // 4 : bottom, spine - narrow : spine + narrow + 1]
    density = between.mean() - min(square[mask].mean() for mask in masks)
    return bool(likeness >= _LEAST_LIKENESS and density >= _LEAST_DENSITY)
