"""The lungs' outlines on a frontal radiograph: an outline of the usual form, moved and stretched
until its rim is brighter outside than inside. No model; no training.

A threshold does not do: air beside a thin chest wall, a stomach bubble or the trachea run into
the lung, and an effusion makes part of it white. What is white on one side is completed from the
other: the outline is of the lung as it should be, opacified parts included. Good enough to place
six zones on a grid of 16 x 16 cells, not to measure anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from medgemma_dash.imaging.body_mask import body_mask, dense_bright, working_grey
from medgemma_dash.regions.bubble import base_above_gas
from medgemma_dash.regions.chest import is_chest

SIDE = 256  # pixels of the square on which lungs are looked for

# Drawn by hand after normal PA films: (from the midline outwards, from the apex downwards) as
# shares of the lung's reach and height; the costophrenic angle is (1, 1). The image's right
# shows the heart. Reach and height of the whole are what is searched for.
_OUTLINE_PLAIN = np.array([
    (0.17, 0.10), (0.24, 0.03), (0.36, 0.00), (0.50, 0.03), (0.64, 0.12), (0.77, 0.27),
    (0.87, 0.45), (0.94, 0.64), (0.98, 0.82), (1.00, 1.00), (0.90, 0.90), (0.72, 0.82),
    (0.52, 0.78), (0.34, 0.80), (0.22, 0.83), (0.20, 0.68), (0.15, 0.50), (0.14, 0.30),
])  # fmt: skip
_OUTLINE_HEART = np.array([
    (0.17, 0.10), (0.24, 0.03), (0.36, 0.00), (0.50, 0.03), (0.64, 0.12), (0.77, 0.27),
    (0.87, 0.45), (0.94, 0.64), (0.98, 0.82), (1.00, 1.00), (0.90, 0.91), (0.78, 0.85),
    (0.62, 0.82), (0.52, 0.83), (0.48, 0.70), (0.36, 0.53), (0.22, 0.42), (0.17, 0.28),
])  # fmt: skip
_POINTS_PER_LINE = 3
# Heart and hila lie differently in everyone, so the rim beside them (the last four corners) says
# less about where the lung ends than its apex, its outer wall and the diaphragm do.
_CORNER_WEIGHTS = np.array([1.0] * 14 + [0.3] * 4)
_RIM = 4  # pixels to either side of the outline where brightness is compared

# Where apex, costophrenic angle and outer wall are looked for, as shares of the picture; the wall
# from the midline. Real and synthetic films keep within these.
_APEX = np.linspace(0.04, 0.28, 13)
_BASE = np.linspace(0.56, 1.00, 23)
_REACH = np.linspace(0.22, 0.50, 15)
_MIDLINE = (0.40, 0.60)
# How much of an outline may lie beside the body: at most 0.06 on 280 synthetic films. Where a lung
# reaches the film's edge, the body's mask takes it for the air there: 0.4 on one film.
_BESIDE_BODY = 0.1
# What the rim of the brightest step leaves out, as shares of the picture: lung thins towards its
# edge, most of all in the angle beside the diaphragm. Found on 140 synthetic radiographs.
_HIDDEN = np.array([-0.02, 0.03, 0.016])  # apex, base, reach
# How much higher the diaphragm over the liver may be; a stomach bubble below the other one, which
# the outline may run into, draws it no further down than that.
_LIVER = 0.05
# Lungs of one patient are alike: a difference of a tenth of the picture costs this much of the
# rim's contrast, which lies between -1 and 1.
_UNLIKENESS_COST = 0.12
# Mean over the rim: real films reach 0.85 to 0.9, synthetic ones with lesions 0.7 to 0.9; a lateral
# view, and noise as fine as grain, stay below 0.62.
_LEAST_CONTRAST = 0.65


@dataclass(frozen=True, eq=False)
class Lungs:
    """What was found, on a square of 256 x 256 stretched over the picture.

    image_left, image_right: the lung on that side of the picture; None if neither was found.
    body: the body.
    negative: whether the lungs are brighter than what lies between them.
    """

    image_left: Bool[np.ndarray, "256 256"] | None
    image_right: Bool[np.ndarray, "256 256"] | None
    body: Bool[np.ndarray, "256 256"]
    negative: bool = False


@dataclass(frozen=True, eq=False)
class _Search:
    """All placings of one lung, (n, 3) of apex, base, reach, and the contrast of each."""

    outline: Float[np.ndarray, "points 2"]
    sign: int  # -1 for the image's left
    placings: Float[np.ndarray, "placings 3"]
    contrast: Float[np.ndarray, " placings"]


def find_lungs(pixels: UInt8[np.ndarray, "rows cols *channels"]) -> Lungs:
    """Find both lungs, or neither."""
    import cv2

    body = cv2.resize(
        body_mask(pixels).astype(np.uint8), (SIDE, SIDE), interpolation=cv2.INTER_NEAREST
    ).astype(bool)
    seen_grey = working_grey(pixels)
    grey = dense_bright(seen_grey)
    square = np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
    spread = float(square[body].std()) if body.any() else 0.0
    if spread < 1:
        return Lungs(None, None, body)
    square = cv2.GaussianBlur(square, (0, 0), 2.0) / np.float32(spread)
    middle = _midline(square, body)
    left = _search(square, middle, _OUTLINE_PLAIN, -1)
    right = _search(square, middle, _OUTLINE_HEART, +1)
    at_left, at_right = _alike(left, right)
    contrast = (left.contrast[at_left] + right.contrast[at_right]) / 2
    if contrast < _LEAST_CONTRAST:
        return Lungs(None, None, body)
    seen = left.placings[at_left], right.placings[at_right]
    masks = _filled(left, seen[0], middle), _filled(right, seen[1], middle)
    if not is_chest(square, middle, seen, masks):
        return Lungs(None, None, body)
    whole = _completed(*seen)
    above_gas = base_above_gas(square, middle, *seen)
    if above_gas is not None:
        whole = _completed(seen[0], np.array([seen[1][0], above_gas, seen[1][2]]))
        whole[1][1] = above_gas + _HIDDEN[1]
    masks = (
        _within(body, _filled(left, whole[0], middle)),
        _within(body, _filled(right, whole[1], middle)),
    )
    # What is dense was bright already where nothing was turned round.
    return Lungs(*masks, body, negative=grey is not seen_grey)


def _midline(square: Float32[np.ndarray, "256 256"], body: Bool[np.ndarray, "256 256"]) -> float:
    """The spine as a share of the width: the brightest column in the middle, at lung height."""
    rows = slice(round(0.2 * SIDE), round(0.6 * SIDE))
    weight = body[rows].astype(np.float32)
    profile = (square[rows] * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
    smooth = np.convolve(profile, np.ones(25) / 25, mode="same")
    first, last = round(_MIDLINE[0] * SIDE), round(_MIDLINE[1] * SIDE)
    return (first + int(np.argmax(smooth[first:last])) + 0.5) / SIDE


def _search(
    square: Float32[np.ndarray, "256 256"],
    middle: float,
    outline: Float[np.ndarray, "corners 2"],
    sign: int,
) -> _Search:
    """Contrast across the rim for every placing of the outline."""
    points = _dense(outline)
    weights = np.repeat(_CORNER_WEIGHTS, _POINTS_PER_LINE).astype(np.float32)
    weights /= weights.sum()
    placings = np.stack(np.meshgrid(_APEX, _BASE, _REACH, indexing="ij"), axis=-1).reshape(-1, 3)
    x, y = _placed(points.astype(np.float32), placings.astype(np.float32), middle, sign)
    # Outward normals of the closed outline, which runs clockwise on the image's right.
    along_x = np.roll(x, -1, axis=1) - np.roll(x, 1, axis=1)
    along_y = np.roll(y, -1, axis=1) - np.roll(y, 1, axis=1)
    length = np.maximum(np.hypot(along_x, along_y), 1e-6)
    out_x, out_y = sign * along_y / length * _RIM, -sign * along_x / length * _RIM
    difference = _sampled(square, x + out_x, y + out_y) - _sampled(square, x - out_x, y - out_y)
    # A bright rib or the diaphragm counts no more than a clear edge elsewhere.
    return _Search(points, sign, placings, np.tanh(4 * difference) @ weights)


def _dense(outline: Float[np.ndarray, "corners 2"]) -> Float[np.ndarray, "points 2"]:
    steps = np.arange(_POINTS_PER_LINE)[None, :, None] / _POINTS_PER_LINE
    following = np.roll(outline, -1, axis=0)
    lines = outline[:, None] + steps * (following - outline)[:, None]
    return np.asarray(lines.reshape(-1, 2))


def _placed(
    points: Float[np.ndarray, "points 2"],
    placings: Float[np.ndarray, "placings 3"],
    middle: float,
    sign: int,
) -> tuple[Float[np.ndarray, "placings points"], Float[np.ndarray, "placings points"]]:
    """The outline's pixels (x, y) for every placing."""
    apex, base, reach = (placings[:, index, None] for index in range(3))
    x = (middle + sign * reach * points[None, :, 0]) * SIDE
    y = (apex + (base - apex) * points[None, :, 1]) * SIDE
    return x, y


def _sampled(
    square: Float32[np.ndarray, "256 256"],
    x: Float[np.ndarray, "placings points"],
    y: Float[np.ndarray, "placings points"],
) -> Float32[np.ndarray, "placings points"]:
    cols, rows = np.clip(x, 0, SIDE - 1).astype(np.intp), np.clip(y, 0, SIDE - 1).astype(np.intp)
    return np.asarray(square[rows, cols])


def _alike(left: _Search, right: _Search) -> tuple[int, int]:
    """The best placing of each side, given that the other is like it."""

    def best(search: _Search, like: Float[np.ndarray, " 3"]) -> int:
        unlike = np.abs(search.placings - like).sum(axis=1) * 10
        return int(np.argmax(search.contrast - _UNLIKENESS_COST * unlike))

    def total(pair: tuple[int, int]) -> float:
        unlike = np.abs(left.placings[pair[0]] - right.placings[pair[1]]).sum() * 10
        return float(left.contrast[pair[0]] + right.contrast[pair[1]] - _UNLIKENESS_COST * unlike)

    from_left, from_right = int(np.argmax(left.contrast)), int(np.argmax(right.contrast))
    pairs = (
        (from_left, best(right, left.placings[from_left])),
        (best(left, right.placings[from_right]), from_right),
    )
    at_left, at_right = max(pairs, key=total)
    at_left = best(left, right.placings[at_right])
    return at_left, best(right, left.placings[at_left])


def _completed(
    left: Float[np.ndarray, " 3"], right: Float[np.ndarray, " 3"]
) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, " 3"]]:
    """Where the lungs of the image's left and right reach when nothing in them is opacified: as
    far as the other one does, but for the diaphragm, which is higher over the liver.
    """
    apex, reach = min(left[0], right[0]), max(left[2], right[2])
    deeper = max(left[1], right[1] - _LIVER), max(right[1], left[1])
    over_liver, other = (np.array([apex, base, reach]) + _HIDDEN for base in deeper)
    return np.clip(over_liver, 0.0, 1.0), np.clip(other, 0.0, 1.0)


def _filled(
    search: _Search, placing: Float[np.ndarray, " 3"], middle: float
) -> Bool[np.ndarray, "256 256"]:
    import cv2

    x, y = _placed(search.outline, placing[None], middle, search.sign)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(canvas, [np.rint(np.stack([x[0], y[0]], axis=1)).astype(np.int32)], 1)
    return np.asarray(canvas, bool)


def _within(
    body: Bool[np.ndarray, "256 256"], lung: Bool[np.ndarray, "256 256"]
) -> Bool[np.ndarray, "256 256"]:
    """What of a lung lies in the body; all of it where the body's mask lacks part of the lung."""
    inside = lung & body
    return inside if inside.sum() >= (1 - _BESIDE_BODY) * lung.sum() else lung
