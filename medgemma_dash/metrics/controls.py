"""Maps that know nothing of the model: what any figure has to stand beside."""

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter

from medgemma_dash.core.centre_prior import centre_map

__all__ = ["blurred_random_maps", "centre_map", "random_maps"]

BLUR_SHARE = 1 / 12  # of the grid's sides, as sigma: blots of the size that lesions have


def random_maps(
    grid: tuple[int, int], count: int, generator: np.random.Generator
) -> Float[np.ndarray, "count rows cols"]:
    """Return maps of independent uniform noise."""
    return generator.random((count, *grid), dtype=np.float32)


def blurred_random_maps(
    grid: tuple[int, int], count: int, generator: np.random.Generator
) -> Float[np.ndarray, "count rows cols"]:
    """Return maps of smooth blots at random places, each with its least value at zero.

    Many methods' maps are smooth and lie in blots, which alone changes some measures.
    """
    sigma = (0.0, *(BLUR_SHARE * side for side in grid))
    blots = gaussian_filter(generator.standard_normal((count, *grid)), sigma)
    lowered: Float[np.ndarray, "count rows cols"] = blots - blots.min((1, 2), keepdims=True)
    return lowered.astype(np.float32)
