"""What is left out of a map's picture, and never out of its numbers."""

import numpy as np
from jaxtyping import Float, Float32


def switched_map(
    image: Float32[np.ndarray, "rows cols"],
    *,
    coverage: Float[np.ndarray, "rows cols"] | None = None,
    percentile: float | None = None,
    border: bool = False,
) -> Float32[np.ndarray, "rows cols"]:
    """A copy to be coloured in the raw map's place; see `MapPanel.drawn`.

    coverage: the share of each cell that the body covers; a cell keeps that share of its value.
    percentile: magnitudes above this percentile of those that are not zero are taken down to it,
        so that one cell does not leave the others dark. border: without the outermost ring.
    """
    shown = image.astype(np.float64)
    if percentile is not None and shown.any():
        # Of all cells it would be zero where few cells hold the whole map.
        most = float(np.percentile(np.abs(shown[shown != 0]), percentile))
        shown = shown.clip(-most, most)
    if coverage is not None:
        shown = shown * coverage
    if border:
        inner = np.zeros_like(shown)
        inner[1:-1, 1:-1] = shown[1:-1, 1:-1]
        shown = inner
    found: Float32[np.ndarray, "rows cols"] = shown.astype(np.float32)
    return found
