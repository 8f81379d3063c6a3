"""A mask as a picture: PNG in any of the ways in which programs write labels."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool
from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.limits import MAX_FILE_BYTES, check_file_size, check_picture_size
from medgemma_dash.imaging.png import check_png, check_rows
from medgemma_dash.services.datasets.annotations.boxes import other_size
from medgemma_dash.services.datasets.annotations.image_folder import open_regular


@dataclass(frozen=True)
class MaskFile:
    """A mask in a PNG file: what is not background belongs to it.

    Background is what is transparent, else what is black, else the first colour of a palette, each
    where it tells anything apart.
    """

    path: Path

    def draw(self, height: int, width: int) -> Bool[np.ndarray, "height width"]:
        """See `MaskSource.draw`."""
        try:
            with open_regular(self.path) as file:
                data = file.read(MAX_FILE_BYTES + 1)
        except OSError:
            raise ImageError("The mask's file cannot be opened any more.") from None
        check_file_size(len(data))
        header = check_png(data)
        check_picture_size(header.rows, header.cols)
        check_rows(data, header)
        try:
            with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
                mask = _foreground(picture)
        except ImageError:
            raise
        except Exception:  # Pillow's decoders raise many kinds
            raise ImageError("The mask's file is damaged or cut off. Copy it again.") from None
        if mask.shape != (height, width):
            raise ImageError(other_size((height, width)))
        return mask


def _foreground(picture: Image.Image) -> Bool[np.ndarray, "height width"]:
    opaque = np.ones((picture.height, picture.width), np.bool_)
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        opaque = np.asarray(picture.convert("RGBA").getchannel("A")) > 0
    indices = np.asarray(picture) if picture.mode == "P" else None
    grey = picture.mode in ("1", "L", "LA") or picture.mode.startswith(("I", "F"))
    values = np.asarray(picture if grey else picture.convert("RGB"))
    if picture.mode == "LA":
        values = values[..., 0]
    coloured = (values != 0).reshape(*opaque.shape, -1).any(-1) & opaque
    if not coloured.any() and indices is not None:
        coloured = (indices != 0) & opaque  # a palette of black alone
    # Black on transparent is a mask by what is opaque.
    mask: Bool[np.ndarray, "height width"] = coloured if coloured.any() or opaque.all() else opaque
    return mask
