"""Infidelity and sensitivity of a map (Yeh et al., "On the (In)fidelity and Sensitivity of
Explanations", NeurIPS 2019).
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float


def infidelity(
    relevance: Float[np.ndarray, " cells"],
    masks: Bool[np.ndarray, "variants cells"],
    drops: Float[np.ndarray, " variants"],
) -> float:
    """Mean of (sum of the removed cells' relevance - what removing them took)^2, definition 2.1."""
    return float(np.mean((masks @ relevance.astype(np.float64) - drops) ** 2))


def scaled_infidelity(
    relevance: Float[np.ndarray, " cells"],
    masks: Bool[np.ndarray, "variants cells"],
    drops: Float[np.ndarray, " variants"],
) -> float:
    """The same at the scale that suits the map best, as a share of the drops' mean square.

    Relevance has no unit for most methods. 0: the map predicts every drop. 1: it predicts none.
    Not a number where nothing that was removed changed anything.
    """
    power = float(np.mean(drops**2))
    if power == 0:
        return float("nan")
    told = masks @ relevance.astype(np.float64)
    length = float(told @ told)
    scale = float(told @ drops) / length if length else 0.0
    return infidelity(scale * relevance, masks, drops) / power


def max_sensitivity(
    relevance: Float[np.ndarray, " cells"], disturbed: Sequence[Float[np.ndarray, " cells"]]
) -> float:
    """The most that a map changes with slightly changed inputs, over its own length (eq. 4)."""
    length = float(np.linalg.norm(relevance))
    return max(float(np.linalg.norm(one - relevance)) for one in disturbed) / length
