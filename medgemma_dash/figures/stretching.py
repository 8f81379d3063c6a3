"""A map of few cells at the many pixels of a picture."""

from typing import Literal

import numpy as np
from jaxtyping import Float

MapMode = Literal["smooth", "grid"]


def stretched(
    image_map: Float[np.ndarray, "rows cols"], height: int, width: int, mode: MapMode
) -> Float[np.ndarray, "height width"]:
    """The map at every pixel: its cell's value, or bilinear between centres, held at borders."""
    rows, cols = image_map.shape
    y = (np.arange(height) + 0.5) * rows / height - 0.5
    x = (np.arange(width) + 0.5) * cols / width - 0.5
    if mode == "grid":
        nearest = np.rint(y).clip(0, rows - 1).astype(int), np.rint(x).clip(0, cols - 1).astype(int)
        return np.asarray(image_map[np.ix_(*nearest)])
    top, above, down = _neighbours(y, rows)
    left, before, across = _neighbours(x, cols)
    columns = image_map[top] * (1 - down)[:, None] + image_map[above] * down[:, None]
    return np.asarray(columns[:, left] * (1 - across) + columns[:, before] * across)


def finest(
    image_map: Float[np.ndarray, "rows cols"],
    fine: Float[np.ndarray, "patch_rows patch_cols"] | None,
) -> tuple[np.ndarray, str]:
    """What is drawn: the map of patches where it is finer than the cells, and words for that."""
    if fine is None or fine.shape == image_map.shape:
        return image_map, ""
    return fine, f", {fine.shape[0]} × {fine.shape[1]} patches"


def _neighbours(
    place: Float[np.ndarray, " pixels"], count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    held = place.clip(0, count - 1)
    first = np.floor(held).astype(int)
    return first, np.minimum(first + 1, count - 1), (held - first).astype(np.float32)
