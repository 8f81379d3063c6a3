"""The patient's coordinates on a film, and drawing in them.

One unit is half the width of the thoracic cage (about 14 cm). `across` runs from the midline to
the patient's left, which is the image's right; `down` runs from the level of the carina to the
feet. A side is drawn by giving its lateral distance and a sign: -1 for the patient's right.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
Points = NDArray[np.float64]

CENTIMETRES_PER_UNIT = 14.0
_SUBPIXEL_BITS = 4  # OpenCV draws at 1/16 of a pixel


@dataclass(frozen=True)
class Frame:
    """Where the patient stands on the film: the picture's size and a similarity transform."""

    height: int
    width: int
    centre_x: float
    centre_y: float
    scale: float  # pixels per unit
    tilt: float  # radians, clockwise on the image

    def to_pixels(self, points: Points) -> Points:
        """Map points (n, 2) of (across, down) to (n, 2) of (x, y) in pixels."""
        cosine, sine = np.cos(self.tilt), np.sin(self.tilt)
        across, down = points[:, 0], points[:, 1]
        x = self.centre_x + self.scale * (across * cosine - down * sine)
        y = self.centre_y + self.scale * (across * sine + down * cosine)
        return np.stack([x, y], axis=1)

    def coordinates(self) -> tuple[Image, Image]:
        """Return (across, down) of every pixel, each (height, width)."""
        cosine, sine = np.float32(np.cos(self.tilt)), np.float32(np.sin(self.tilt))
        x = (np.arange(self.width, dtype=np.float32) - np.float32(self.centre_x))[None, :]
        y = (np.arange(self.height, dtype=np.float32) - np.float32(self.centre_y))[:, None]
        scale = np.float32(self.scale)
        across = np.asarray((x * cosine + y * sine) / scale, np.float32)
        return across, np.asarray((y * cosine - x * sine) / scale, np.float32)

    def fill(self, points: Points) -> Mask:
        """Fill a polygon given in patient coordinates."""
        canvas = np.zeros((self.height, self.width), np.uint8)
        cv2.fillPoly(canvas, [self._fixed(points)], 1, shift=_SUBPIXEL_BITS)
        return canvas.astype(bool)

    def stroke(self, canvas: NDArray[np.uint8], points: Points, width: float, value: int) -> None:
        """Draw a line `width` units wide on an 8-bit canvas, in place."""
        cv2.polylines(
            canvas,
            [self._fixed(points)],
            isClosed=False,
            color=value,
            thickness=max(1, round(width * self.scale)),
            lineType=cv2.LINE_AA,
            shift=_SUBPIXEL_BITS,
        )

    def stroke_many(
        self,
        canvas: NDArray[np.uint8],
        starts: Points,
        stops: Points,
        widths: NDArray[np.float64],
        values: NDArray[np.float64],
    ) -> None:
        """Draw straight lines, each of its own width in units and value, in place."""
        first, last = self._fixed(starts)[:, 0], self._fixed(stops)[:, 0]
        thickness = np.maximum(np.rint(widths * self.scale), 1).astype(int)
        rows = zip(first.tolist(), last.tolist(), thickness.tolist(), values.tolist(), strict=True)
        for start, stop, thick, value in rows:
            cv2.line(canvas, start, stop, int(value), thick, cv2.LINE_AA, _SUBPIXEL_BITS)

    def blur(self, image: NDArray[np.generic], radius: float) -> Image:
        """Blur with a Gaussian whose standard deviation is `radius` units."""
        blurred = cv2.GaussianBlur(
            np.asarray(image, np.float32), (0, 0), max(radius * self.scale, 0.3)
        )
        return np.asarray(blurred, np.float32)

    def depth(self, mask: Mask) -> Image:
        """Return, inside the mask, the distance to its edge in units; zero outside."""
        distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
        return np.asarray(distance, np.float32) / np.float32(self.scale)

    def _fixed(self, points: Points) -> NDArray[np.int32]:
        pixels = self.to_pixels(points) * (1 << _SUBPIXEL_BITS)
        return np.rint(pixels).astype(np.int32).reshape(-1, 1, 2)


def smooth_outline(corners: Points, samples: int = 8) -> Points:
    """Round a closed polygon (Catmull-Rom); a corner that is given twice stays sharp."""
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
    later = np.roll(corners, -2, axis=0)
    t = np.linspace(0, 1, samples, endpoint=False)[None, :, None]
    a, b, c, d = (part[:, None, :] for part in (before, corners, after, later))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    return np.asarray(curve.reshape(-1, 2), np.float64)


def mirrored(points: Points, sign: int) -> Points:
    """Turn (lateral, down) into (across, down) for the patient's right (-1) or left (+1)."""
    across: Points = points * np.array([sign, 1.0])
    return across
