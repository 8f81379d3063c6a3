"""Does a map point at the lesion, where the lesion is known?

A map and a mask are of one image: of several, each is measured against its own lesions.
"""

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


def iou_best(
    image: Float[np.ndarray, "rows cols"], mask: Bool[np.ndarray, "height width"]
) -> float:
    """Largest intersection over union of the mask and the cells above a threshold, over all.

    Areas, not cells, are compared: a cell that the mask covers in part intersects in part, so
    that a lesion smaller than a cell cannot reach 1. Raises ValueError on a map that is not
    finite, or an empty mask.
    """
    inside, taken, lesion = _by_falling_value(image, mask)
    return float((inside / (taken + lesion - inside)).max())


def iou_at(
    image: Float[np.ndarray, "rows cols"],
    mask: Bool[np.ndarray, "height width"],
    share_of_peak: float = 0.5,
) -> float:
    """Intersection over union of the mask and the cells of at least this share of the peak.

    Areas as in `iou_best`. 0.0 for a map without positive relevance. Raises ValueError on a map
    that is not finite, or an empty mask.
    """
    _check_finite(image)
    covered = _lesion_cells(image, mask)
    if image.max() <= 0:
        return 0.0
    chosen = image >= share_of_peak * image.max()
    inside = covered[chosen].sum()
    return float(inside / (chosen.sum() + covered.sum() - inside))


def auprc(image: Float[np.ndarray, "rows cols"], mask: Bool[np.ndarray, "height width"]) -> float:
    """Area under the precision-recall curve, as average precision: sum of (R_n - R_n-1) P_n.

    Every point of the picture has its cell's value and is inside the mask or not; equal values
    share one threshold. Chance gives the mask's share of the picture. Raises ValueError on a map
    that is not finite, or an empty mask.
    """
    inside, taken, lesion = _by_falling_value(image, mask)
    recall_gained = np.diff(inside, prepend=0.0) / lesion
    return float((recall_gained * inside / taken).sum())


def mask_coverage(
    mask: Bool[np.ndarray, "height width"], grid: tuple[int, int]
) -> Float[np.ndarray, "rows cols"]:
    """Share of each cell's area that the mask covers; pixels on a border count in part."""
    down, across = (_area_weights(*sizes) for sizes in zip(grid, mask.shape, strict=True))
    covered: Float[np.ndarray, "rows cols"] = down @ mask @ across.T
    return covered


def _by_falling_value(
    image: Float[np.ndarray, "rows cols"], mask: Bool[np.ndarray, "height width"]
) -> tuple[Float[np.ndarray, " thresholds"], Float[np.ndarray, " thresholds"], float]:
    """For each distinct value, falling: lesion area and area of the cells that reach it.

    The third part is the whole lesion's area. Areas are in cells.
    """
    _check_finite(image)
    covered = _lesion_cells(image, mask).ravel()
    order = np.argsort(-image.ravel(), kind="stable")
    values = image.ravel()[order]
    last_of_equals = np.append(values[1:] != values[:-1], True)
    inside = covered[order].cumsum()[last_of_equals]
    return inside, np.flatnonzero(last_of_equals) + 1.0, float(covered.sum())


def _lesion_cells(
    image: Float[np.ndarray, "rows cols"], mask: Bool[np.ndarray, "height width"]
) -> Float[np.ndarray, "rows cols"]:
    if not mask.any():
        raise ValueError("The mask is empty: there is no lesion to find.")
    return mask_coverage(mask, cast(tuple[int, int], image.shape))


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
