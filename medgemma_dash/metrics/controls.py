"""Maps that know nothing of the model: what any figure has to stand beside."""

import numpy as np
from jaxtyping import Float


def centre_map(grid: tuple[int, int]) -> Float[np.ndarray, "rows cols"]:
    """Return a bell around the middle, a quarter of the grid wide: where things tend to be."""
    down, across = (
        np.exp(-0.5 * ((np.arange(size) - (size - 1) / 2) / (size / 4)) ** 2) for size in grid
    )
    return np.outer(down, across).astype(np.float32)


def random_maps(
    grid: tuple[int, int], count: int, generator: np.random.Generator
) -> Float[np.ndarray, "count rows cols"]:
    """Return maps of independent uniform noise."""
    return generator.random((count, *grid), dtype=np.float32)
