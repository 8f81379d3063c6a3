"""Where on a radiograph the body is, by classical means: no model, no colour, no text."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8

# Kernel sizes are those of the published recipe (MedGemma Visualizer documentation, 3.3), for
# pictures of about this size; a picture is brought to it first, so that they mean the same on all.
_WORKING_SIDE = 512
_BLUR_SIGMA = 2.0
_OPEN, _CLOSE, _ERODE = 7, 15, 9
_SMALLEST_COMPONENT = 0.1  # of the largest: an arm apart from the chest stays, a letter goes
_SMALLEST_BODY = 0.15  # of the picture: a chest fills more than this
_EXTREME = 10  # grey levels from black or white within which a printed frame lies
_FRAME_SHARE = 0.95  # of a row's pixels, for the row to be frame
_LARGEST_FRAME = 0.3  # of a side, from each edge
# Air is told from lung by a second split of the dark class, if its halves are this far apart.
_SPLIT_LEVELS = 12.0


class _Box(NamedTuple):
    top: int
    bottom: int
    left: int
    right: int


def body_mask(
    pixels: UInt8[np.ndarray, "rows cols *channels"],
) -> Bool[np.ndarray, "rows cols"]:
    """The body, lungs included, as a mask of the picture's size.

    Blur, Otsu, polarity such that the body and not the surround is foreground, opening, closing,
    erosion, largest components, holes filled. Works for a dark and for a light surround, and for
    a printed frame around either. Where no body can be told from the surround, all is body.
    """
    import cv2  # takes 0.2 s to import, which reading a file need not pay

    height, width = pixels.shape[:2]
    small = working_grey(pixels)
    box = _inside_frame(small)
    inner = dense_bright(small[box.top : box.bottom, box.left : box.right])
    body = np.zeros(small.shape, np.uint8)
    body[box.top : box.bottom, box.left : box.right] = _tidied(_not_surround(inner))
    if body.mean() < _SMALLEST_BODY:
        body[:] = 0
        body[box.top : box.bottom, box.left : box.right] = 1
    full = cv2.resize(body, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(full, bool)


def working_grey(
    pixels: UInt8[np.ndarray, "rows cols *channels"],
) -> UInt8[np.ndarray, "small_rows small_cols"]:
    """The picture in grey, its longer side at most 512 pixels, slightly blurred."""
    import cv2

    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = _WORKING_SIDE / max(grey.shape)
    if scale < 1:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _BLUR_SIGMA), np.uint8)


def dense_bright(grey: UInt8[np.ndarray, "rows cols"]) -> UInt8[np.ndarray, "rows cols"]:
    """The picture such that dense parts are bright, inverting a negative.

    The spine and heart in the middle are denser than the lungs beside them; where that does not
    show, the middle is denser than the upper corners, which hold air.
    """
    height, width = grey.shape
    rows = slice(round(0.35 * height), round(0.65 * height))
    middle = _mean(grey[rows, round(0.46 * width) : round(0.54 * width)])
    left = _mean(grey[rows, round(0.20 * width) : round(0.36 * width)])
    right = _mean(grey[rows, round(0.64 * width) : round(0.80 * width)])
    difference = middle - (left + right) / 2
    if abs(difference) < _EXTREME:
        corner_rows, corner_cols = max(1, height // 12), max(1, width // 12)
        corners = (grey[:corner_rows, :corner_cols], grey[:corner_rows, -corner_cols:])
        difference = middle - (_mean(corners[0]) + _mean(corners[1])) / 2
    return grey if difference >= 0 else np.asarray(255 - grey, np.uint8)


def _mean(part: UInt8[np.ndarray, "rows cols"]) -> float:
    return float(part.mean()) if part.size else 0.0


def _inside_frame(grey: UInt8[np.ndarray, "rows cols"]) -> _Box:
    """What a printed white or black frame leaves of the picture.

    A white frame counts only if it also runs along the top: the abdomen may be white as well.
    """
    light, dark = grey >= 255 - _EXTREME, grey <= _EXTREME
    box = _Box(0, grey.shape[0], 0, grey.shape[1])
    if light[0].mean() >= _FRAME_SHARE:
        box = _cropped(light, box)
    return _cropped(dark, box)


def _cropped(frame: Bool[np.ndarray, "rows cols"], box: _Box) -> _Box:
    part = frame[box.top : box.bottom, box.left : box.right]
    by_row, by_col = part.mean(axis=1) >= _FRAME_SHARE, part.mean(axis=0) >= _FRAME_SHARE
    return _Box(
        box.top + _frame_width(by_row),
        box.bottom - _frame_width(by_row[::-1]),
        box.left + _frame_width(by_col),
        box.right - _frame_width(by_col[::-1]),
    )


def _frame_width(flags: Bool[np.ndarray, " lines"]) -> int:
    """Number of leading lines that are frame, and the few into which it was blurred."""
    count = len(flags) if flags.all() else int(np.argmin(flags))
    if count:
        count += round(3 * _BLUR_SIGMA)
    return min(count, int(_LARGEST_FRAME * len(flags)))


def _not_surround(grey: UInt8[np.ndarray, "rows cols"]) -> UInt8[np.ndarray, "rows cols"]:
    """1 wherever the picture is not air that reaches the picture's edge."""
    import cv2

    dark = (grey <= _air_level(grey)).astype(np.uint8)
    _, labels = cv2.connectedComponents(dark, connectivity=4)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reaching = np.unique(edge[edge > 0])
    return np.asarray(~np.isin(labels, reaching), np.uint8)


def _air_level(grey: UInt8[np.ndarray, "rows cols"]) -> float:
    """The grey level up to which a pixel may be air: Otsu, and once more on the dark class."""
    level = _otsu(grey.ravel())
    dark = grey[grey <= level]
    if dark.size == 0:
        return level
    lower = _otsu(dark)
    below, above = dark[dark <= lower], dark[dark > lower]
    if above.size and float(above.mean()) - float(below.mean()) >= _SPLIT_LEVELS:
        return lower
    return level


def _otsu(values: UInt8[np.ndarray, " values"]) -> float:
    import cv2

    level, _ = cv2.threshold(values.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return float(level)


def _tidied(mask: UInt8[np.ndarray, "rows cols"]) -> UInt8[np.ndarray, "rows cols"]:
    import cv2

    def disc(size: int) -> UInt8[np.ndarray, "size size"]:
        return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)

    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc(_OPEN))
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc(_CLOSE))
    mask = cv2.erode(mask, disc(_ERODE))
    return fill_holes(largest_components(np.asarray(mask, np.uint8), _SMALLEST_COMPONENT))


def largest_components(
    mask: UInt8[np.ndarray, "rows cols"], smallest: float
) -> UInt8[np.ndarray, "rows cols"]:
    """The components that have at least `smallest` times the area of the largest."""
    import cv2

    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas: Float32[np.ndarray, " components"] = statistics[:, cv2.CC_STAT_AREA].astype(np.float32)
    areas[0] = 0  # the background
    kept = np.flatnonzero((areas > 0) & (areas >= smallest * areas.max()))
    return np.asarray(np.isin(labels, kept), np.uint8)


def fill_holes(mask: UInt8[np.ndarray, "rows cols"]) -> UInt8[np.ndarray, "rows cols"]:
    """The mask with everything that it encloses."""
    import cv2

    outside = np.pad(1 - mask, 1, constant_values=1)
    _, labels = cv2.connectedComponents(outside, connectivity=4)
    return np.asarray(labels != labels[0, 0], np.uint8)[1:-1, 1:-1]
