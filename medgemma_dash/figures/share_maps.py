"""Maps as shares of their own relevance, in which maps of any unit can be held together."""

import numpy as np
from jaxtyping import Float


def share_of_mass(
    image: Float[np.ndarray, "rows cols"], signed: bool
) -> Float[np.ndarray, "rows cols"]:
    """The map by the sum of its magnitudes, of its positive part unless it is signed; float32."""
    kept = image.astype(np.float64) if signed else image.clip(0).astype(np.float64)
    shares: Float[np.ndarray, "rows cols"] = (kept / (np.abs(kept).sum() or 1.0)).astype(np.float32)
    return shares
