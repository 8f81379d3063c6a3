"""A radiograph with cells of the map taken out of the picture itself."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from medgemma_dash.core.geometry import PatchGrid

PictureRemoval = Literal["blur", "mean grey", "inpainting"]

SIGMA_PIXELS = 10.0  # of the blur, in pixels of the radiograph
# What is painted in is smooth: it is painted on a small copy, at 40 ms a picture and not seconds.
PAINTED_SIDE_PIXELS = 224
PAINT_RADIUS_PIXELS = 3.0


@dataclass(frozen=True, eq=False)
class CellRemoval:
    """One radiograph, from which cells of a grid are removed again and again.

    pixels: uint8 (H, W, 3). grid: (rows, cols) stretched over them.
    """

    pixels: UInt8[np.ndarray, "height width 3"]
    grid: tuple[int, int]
    how: PictureRemoval

    def without(
        self, removed: Bool[np.ndarray, "rows cols"]
    ) -> UInt8[np.ndarray, "height width 3"]:
        """The picture where the removed cells are blurred (sigma 10), of the picture's mean grey,
        or painted over from what surrounds them (Bertalmio, Bertozzi, Sapiro, CVPR 2001); with
        nothing left to paint from, of mean grey as well. A pixel belongs to the cell that holds
        its middle.
        """
        if not removed.any():
            return self.pixels
        inside = on_pixels(removed, self.pixels.shape[:2])
        if self.how == "inpainting" and not removed.all():
            filled = self._painted(removed)
        else:
            filled = self._filling
        picture: UInt8[np.ndarray, "height width 3"] = np.where(
            inside[..., None], filled, self.pixels
        )
        return picture

    @cached_property
    def _filling(self) -> UInt8[np.ndarray, "height width 3"]:
        if self.how == "blur":
            blurred: UInt8[np.ndarray, "height width 3"] = cv2.GaussianBlur(
                self.pixels, (0, 0), SIGMA_PIXELS, borderType=cv2.BORDER_REFLECT
            )
            return blurred
        grey = np.rint(self.pixels.mean((0, 1))).astype(np.uint8)
        return np.broadcast_to(grey, self.pixels.shape)

    @cached_property
    def _small(self) -> UInt8[np.ndarray, "rows cols 3"]:
        height, width = self.pixels.shape[:2]
        scale = min(1.0, PAINTED_SIDE_PIXELS / max(height, width))
        # At least a pixel for each cell, in either direction.
        size = tuple(
            max(cells, round(scale * side))
            for side, cells in ((width, self.grid[1]), (height, self.grid[0]))
        )
        small: UInt8[np.ndarray, "rows cols 3"] = cv2.resize(
            self.pixels, size, interpolation=cv2.INTER_AREA
        )
        return small

    def _painted(
        self, removed: Bool[np.ndarray, "rows cols"]
    ) -> UInt8[np.ndarray, "height width 3"]:
        hole = on_pixels(removed, self._small.shape[:2]).astype(np.uint8)
        # A small pixel at the hole's edge is made of some that are removed.
        wider = cv2.dilate(hole, np.ones((3, 3), np.uint8))
        hole = hole if wider.all() else wider
        painted = cv2.inpaint(self._small, hole, PAINT_RADIUS_PIXELS, cv2.INPAINT_NS)
        height, width = self.pixels.shape[:2]
        whole: UInt8[np.ndarray, "height width 3"] = cv2.resize(
            painted, (width, height), interpolation=cv2.INTER_LINEAR
        )
        return whole


def on_pixels(
    removed: Bool[np.ndarray, "rows cols"], shape: tuple[int, int]
) -> Bool[np.ndarray, "height width"]:
    """The pixels whose middle lies in a removed cell."""
    height, width = shape
    grid = PatchGrid(removed.shape[0], removed.shape[1], height, width)
    rows = [grid.cell(y + 0.5, 0.0)[0] for y in range(height)]
    cols = [grid.cell(0.0, x + 0.5)[1] for x in range(width)]
    inside: Bool[np.ndarray, "height width"] = removed[np.ix_(rows, cols)]
    return inside
