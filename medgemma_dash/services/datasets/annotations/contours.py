"""Masks written as the polygons around them, as CheXlocalize's gt_annotations are."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from PIL import Image, ImageDraw

from medgemma_dash.services.datasets.annotations.findings import UnusableError


@dataclass(frozen=True)
class Contours:
    """A mask of `size` (height, width) by the polygons around it, x and y of each corner."""

    size: tuple[int, int]
    polygons: tuple[tuple[tuple[float, float], ...], ...]

    def draw(self, height: int, width: int) -> Bool[np.ndarray, "height width"]:
        """See `MaskSource.draw`; filled with their outlines, as CheXlocalize's own code does."""
        drawn = Image.new("1", (width, height))
        for polygon in self.polygons:
            ImageDraw.Draw(drawn).polygon(polygon, fill=1, outline=1)
        mask: Bool[np.ndarray, "height width"] = np.asarray(drawn, np.bool_)
        return mask


def read_contours(written: list[object], size: object) -> Contours:
    """Lists of [x, y] on a picture of `size`, [height, width]; raises UnusableError."""
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) for n in size)):
        raise UnusableError("Contours need the picture's img_size, [height, width], beside them.")
    polygons = []
    for contour in written:
        if not isinstance(contour, list) or not all(map(_is_corner, contour)):
            raise UnusableError("A contour is not a list of [x, y].")
        if len(contour) > 2:  # fewer corners enclose nothing
            polygons.append(tuple((float(x), float(y)) for x, y in contour))
    return Contours((size[0], size[1]), tuple(polygons))


def _is_corner(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in value)
        and all(abs(n) < 1e6 for n in value)
    )
