"""Where things tend to be in a picture, for those who know nothing of it."""

import numpy as np
from jaxtyping import Float


def centre_map(grid: tuple[int, int]) -> Float[np.ndarray, "rows cols"]:
    """Return a bell around the middle, a quarter of the grid wide: where things tend to be."""
    down, across = (
        np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / (size / 4)) ** 2) for size in grid
    )
    return np.outer(down, across).astype(np.float32)
