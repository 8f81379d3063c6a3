"""PNG, JPEG, and pictures already in memory, through Pillow.

Files are read in the guarded process, pictures where they are.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Shaped, UInt8
from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import jpeg, laterality, png
from medgemma_dash.imaging.decoded import DecodedImage
from medgemma_dash.imaging.deep_colours import eight_bit_colours, only_grey, without_alpha
from medgemma_dash.imaging.limits import check_picture_size, too_many_pixels
from medgemma_dash.imaging.window import EIGHT_BIT, spanning_window

_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_DARKEST_TO_BRIGHTEST = "The picture has more than 8 bits; the model sees 8, darkest to brightest."
_MADE_BLACK = "Transparent parts of the picture were made black."


def read_png(data: bytes) -> DecodedImage:
    """Decode a PNG file; raises ImageError."""
    header = png.check_png(data)
    check_picture_size(header.rows, header.cols)
    png.check_rows(data, header)
    with _opened(data, "png") as picture:
        if header.is_deep_colour:
            return _deep_colours(data, picture)
        return _convert(picture, ())[0]


def read_jpeg(data: bytes) -> DecodedImage:
    """Decode a JPEG file; raises ImageError."""
    kind = jpeg.jpeg_kind(data)
    if not kind.is_read_by_libjpeg:
        raise ImageError(
            f"The file is {kind}, which is not read. Export the radiograph as PNG, as DICOM, or "
            "as an ordinary JPEG of 8 bits."
        )
    picture = jpeg.check_jpeg(data)
    notices = () if kind.is_lossless else ("The picture was compressed with loss.",)
    with _opened(data, "jpeg") as file:
        found, _ = _convert(file, notices)
    return replace(found, warnings=(*found.warnings, *jpeg.check_compressed_data(picture)))


def read_picture(
    picture: Image.Image,
) -> tuple[DecodedImage, Shaped[np.ndarray, "rows cols *channels"]]:
    """Convert a picture that the caller already holds; raises ImageError.

    Also returns its samples as they came, upright, for a hash.
    """
    try:
        return _convert(picture, ())
    except (ImageError, MemoryError):
        raise
    except Exception:
        raise ImageError(
            f"The picture (mode {picture.mode}) cannot be read. Convert it to RGB or L first."
        ) from None


def luma(pixels: UInt8[np.ndarray, "rows cols 3"]) -> Float32[np.ndarray, "rows cols"]:
    """Grey level of each RGB pixel, 0 to 255, in whole numbers."""
    grey = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert("L"))
    return grey.astype(np.float32)


def as_rgb(grey: UInt8[np.ndarray, "rows cols"]) -> UInt8[np.ndarray, "rows cols 3"]:
    """The same grey in three channels."""
    return np.repeat(grey[:, :, None], 3, axis=2)


@contextmanager
def _opened(data: bytes, kind: str) -> Iterator[Image.Image]:
    """The file in Pillow, whose errors of all kinds become one."""
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            yield picture
    except (ImageError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        # Raised while the header is read, by Pillow's own limits. Where its warning is only
        # printed, nothing is lost: it means more than 89 megapixels, which `_convert` refuses by
        # its own limit of 40 before a pixel is decoded. So no filter has to be set, which would
        # hold for all threads of the program.
        raise too_many_pixels("far more pixels than a radiograph") from None
    except Exception:  # Pillow's decoders raise many kinds, and quote the file when they do
        raise ImageError(png.DAMAGED if kind == "png" else jpeg.DAMAGED) from None


def _convert(
    picture: Image.Image, notices: tuple[str, ...]
) -> tuple[DecodedImage, Shaped[np.ndarray, "rows cols *channels"]]:
    """What the picture shows, and its samples as they came, upright."""
    _check_still(picture)
    picture.load()
    turn, turned = _turn(picture)
    upright = picture if turn is None else picture.transpose(turn)
    warnings = (*notices, *turned)
    if upright.mode in _DEEP_MODES:
        values = np.asarray(upright)
        return _deep(values, warnings), values
    if "A" in upright.mode or "a" in upright.mode or "transparency" in upright.info:
        upright, more = _on_black(upright)
        warnings += more
    source = np.asarray(upright)
    if upright.mode in ("1", "L"):
        shown = np.array(upright if upright.mode == "L" else upright.convert("L"))
    else:
        shown = np.array(upright if upright.mode == "RGB" else upright.convert("RGB"))
    return DecodedImage(shown, (EIGHT_BIT,), laterality.assumed(), warnings), source


def _check_still(picture: Image.Image) -> None:
    check_picture_size(picture.height, picture.width)
    frames = getattr(picture, "n_frames", 1)
    if picture.format != "MPO" and frames > 1:
        # Phones write MPO: the photograph, then its depth map or the other eye.
        raise ImageError(
            f"The picture is animated ({frames} frames); a radiograph is one still "
            "picture. Export the frame you want as its own PNG or JPEG."
        )


def _on_black(picture: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    flat = picture.convert("RGBA")
    clear = np.asarray(flat.getchannel("A")).min() < 255
    if not clear:
        return flat.convert("RGB"), ()
    black = Image.new("RGBA", flat.size, (0, 0, 0, 255))
    return Image.alpha_composite(black, flat).convert("RGB"), (_MADE_BLACK,)


def _deep_colours(data: bytes, picture: Image.Image) -> DecodedImage:
    """16-bit samples in colour or with alpha; greys are stretched as those of a grey file are."""
    _check_still(picture)
    turn, warnings = _turn(picture)
    samples, clear = without_alpha(png.deep_colours(data))
    if clear:
        warnings += (_MADE_BLACK,)
    if turn is not None:
        samples = np.stack(
            [
                np.asarray(Image.fromarray(one).transpose(turn))
                for one in np.moveaxis(samples, 2, 0)
            ],
            axis=2,
        )
    grey = only_grey(samples)
    if grey is not None:
        return _deep(grey, warnings)
    shown = eight_bit_colours(samples)
    warnings += (_DARKEST_TO_BRIGHTEST,)
    return DecodedImage(shown, (EIGHT_BIT,), laterality.assumed(), warnings)


def _deep(values: Shaped[np.ndarray, "rows cols"], warnings: tuple[str, ...]) -> DecodedImage:
    """Samples wider than 8 bits, shown from their smallest to their largest value."""
    intensities = values.astype(np.float32)
    if not np.isfinite(intensities).all():
        raise ImageError(
            "The picture holds values that are not numbers. Replace them before loading it."
        )
    low, high = float(intensities.min()), float(intensities.max())
    if high - low < 1:
        # Window widths are at least 1 unit, so fractions such as 0..1 are spread first.
        intensities = (intensities - low) * (np.float32(255) / np.float32(high - low or 1))
        low, high = 0.0, 255.0
    window = spanning_window("Whole range", low, high)
    warnings += (_DARKEST_TO_BRIGHTEST,)
    return DecodedImage(intensities, (window,), laterality.assumed(), warnings)


def _turn(picture: Image.Image) -> tuple[Image.Transpose | None, tuple[str, ...]]:
    """How the EXIF orientation says to turn the picture; unreadable EXIF is left aside."""
    try:
        turn = _TURNS.get(picture.getexif().get(_EXIF_ORIENTATION, _UPRIGHT))
    except (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error, OverflowError):
        return None, ("The picture's EXIF data cannot be read; it is shown as stored.",)
    return turn, () if turn is None else ("The picture was turned as its EXIF orientation says.",)
