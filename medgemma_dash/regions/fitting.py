"""From lung outlines to labels on the grid."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int8

from medgemma_dash.regions.lungs import Lungs

_LEVELS = 3
_OUTSIDE = -1
# Share of a cell that must be lung for it to count as lung. Less than half: an effusion lies along
# the rim, which runs through the cells.
_COVERED = 0.4

BODY_INSTEAD = "The grid is too coarse for the lungs' outlines: the zones divide the body instead."
PICTURE_INSTEAD = (
    "The grid is too coarse for the lungs' outlines: the zones divide the whole picture instead."
)


def fitted_halves(lungs: Lungs, rows: int, cols: int) -> tuple[Int8[np.ndarray, "rows cols"], str]:
    """Labels with the image's left as 0, 1, 2 and its right as 3, 4, 5, and a note.

    Each lung's height is cut in thirds. When a lung is too small for the grid to show all thirds,
    the body's box is divided instead, and the note says so. Raises ValueError without lungs.
    """
    if lungs.image_left is None or lungs.image_right is None:
        raise ValueError("There are no lungs to divide.")
    labels = np.full((rows, cols), _OUTSIDE, np.int8)
    left, right = (_coverage(one, rows, cols) for one in (lungs.image_left, lungs.image_right))
    for side, (mask, cover, rival) in enumerate(
        ((lungs.image_left, left, right), (lungs.image_right, right, left))
    ):
        mine = (cover >= _COVERED) & (cover >= rival)
        labels[mine] = (_LEVELS * side + _thirds(mask, rows))[:, None].repeat(cols, 1)[mine]
    if len(np.unique(labels[labels >= 0])) == 2 * _LEVELS:
        return labels, ""
    labels = _box_labels(lungs.body, rows, cols)
    if lungs.body.any() and len(np.unique(labels[labels >= 0])) == 2 * _LEVELS:
        return labels, BODY_INSTEAD if not lungs.body.all() else PICTURE_INSTEAD
    return _box_labels(np.ones_like(lungs.body), rows, cols), PICTURE_INSTEAD


def _coverage(
    mask: Bool[np.ndarray, "256 256"], rows: int, cols: int
) -> Float32[np.ndarray, "rows cols"]:
    """Share of each cell that the mask covers."""
    import cv2

    shares = cv2.resize(mask.astype(np.float32), (cols, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(shares, np.float32)


def _thirds(mask: Bool[np.ndarray, "256 256"], rows: int) -> Int8[np.ndarray, " rows"]:
    """Which third of the mask's height each row of the grid has its centre in."""
    lines = np.flatnonzero(mask.any(axis=1))
    top, height = lines[0] / len(mask), (lines[-1] + 1 - lines[0]) / len(mask)
    centres = (np.arange(rows) + 0.5) / rows
    third = np.floor(_LEVELS * (centres - top) / height)
    return np.asarray(np.clip(third, 0, _LEVELS - 1), np.int8)


def _box_labels(
    body: Bool[np.ndarray, "256 256"], rows: int, cols: int
) -> Int8[np.ndarray, "rows cols"]:
    labels = np.full((rows, cols), _OUTSIDE, np.int8)
    if not body.any():
        return labels
    inside = np.flatnonzero(body.any(axis=0))
    left, right = inside[0] / len(body), (inside[-1] + 1) / len(body)
    across = (np.arange(cols) + 0.5) / cols
    side = (across >= (left + right) / 2).astype(np.int8)
    box = np.zeros_like(body)
    lines = np.flatnonzero(body.any(axis=1))
    box[lines[0] : lines[-1] + 1, inside[0] : inside[-1] + 1] = True
    full = (_thirds(body, rows)[:, None] + _LEVELS * side[None, :]).astype(np.int8)
    covered = _coverage(box, rows, cols) >= _COVERED
    labels[covered] = full[covered]
    return labels
