"""Does a map point at the lesion, where the lesion is known?"""

from typing import cast

import numpy as np
from jaxtyping import Bool, Float


def near_mask(
    mask: Bool[np.ndarray, "height width"], grid: tuple[int, int]
) -> Bool[np.ndarray, "rows cols"]:
    """Tell which cells' centres lie inside the mask dilated by one cell.

    The dilation is a rectangle that reaches one cell's height and width to each side, so a
    centre is inside when the rectangle of two by two cells around it touches the mask.
    """
    near = np.zeros(grid, dtype=bool)
    down, across = (_reach(*sizes) for sizes in zip(grid, mask.shape, strict=True))
    for row, rows_near in enumerate(down):
        for col, cols_near in enumerate(across):
            near[row, col] = mask[rows_near, cols_near].any()
    return near


def pointing_hit(
    image: Float[np.ndarray, "rows cols"], mask: Bool[np.ndarray, "height width"]
) -> float:
    """Play the pointing game: 1.0 when the map's peak lies inside the mask dilated by one cell.

    Several equal peaks count by the share of them that lies inside, as if one were drawn, so
    that a map without a peak scores no better than chance. Raises ValueError on a map that is
    not finite.
    """
    _check_finite(image)
    peaks = image == image.max()
    return float(near_mask(mask, cast(tuple[int, int], image.shape))[peaks].mean())


def energy_inside(
    image: Float[np.ndarray, "rows cols"], mask: Bool[np.ndarray, "height width"]
) -> float | None:
    """Share of the map's positive relevance that falls inside the mask, from 0 to 1.

    Each cell counts by the share of its area that the mask covers. None when the map has no
    positive relevance. Raises ValueError on a map that is not finite.
    """
    _check_finite(image)
    positive = np.clip(image.astype(np.float64), 0, None)
    total = positive.sum()
    if total == 0:
        return None
    covered = mask_coverage(mask, cast(tuple[int, int], image.shape))
    return float((positive * covered).sum() / total)


def mask_coverage(
    mask: Bool[np.ndarray, "height width"], grid: tuple[int, int]
) -> Float[np.ndarray, "rows cols"]:
    """Share of each cell's area that the mask covers; pixels on a border count in part."""
    down, across = (_area_weights(*sizes) for sizes in zip(grid, mask.shape, strict=True))
    covered: Float[np.ndarray, "rows cols"] = down @ mask @ across.T
    return covered


def _reach(cells: int, pixels: int) -> list[slice]:
    """Pixels that lie, in part at least, within one cell's length of each cell's centre."""
    # In whole numbers, (cell + 1/2 -+ 1) * pixels / cells, so that no rounding moves a border.
    return [
        slice(
            max(0, (2 * cell - 1) * pixels // (2 * cells)),
            -(-(2 * cell + 3) * pixels // (2 * cells)),
        )
        for cell in range(cells)
    ]


def _area_weights(cells: int, pixels: int) -> Float[np.ndarray, "cells pixels"]:
    """Share of each cell's length that each pixel makes up along one axis."""
    edges = np.arange(cells + 1) * (pixels / cells)
    starts = np.arange(pixels)
    overlap = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    weights: Float[np.ndarray, "cells pixels"] = np.clip(overlap, 0, None) * (cells / pixels)
    return weights


def _check_finite(image: Float[np.ndarray, "rows cols"]) -> None:
    if not np.isfinite(image).all():
        raise ValueError("The map holds values that are not finite.")
