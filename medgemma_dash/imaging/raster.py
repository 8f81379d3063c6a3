"""PNG, JPEG, and pictures already in memory, through Pillow."""

import io
import struct
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Shaped, UInt8
from PIL import Image, ImageOps

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.limits import check_picture_size, too_many_pixels
from medgemma_dash.imaging.window import EIGHT_BIT, apply_window, spanning_window

# A progressive JPEG may go over the whole picture again with every scan; honest files have about
# ten, and each costs as much time as decoding the picture once.
_MAX_JPEG_SCANS = 64
_START_OF_SCAN = b"\xff\xda"
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1
_DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True, eq=False)
class RasterImage:
    """A picture as arrays.

    source: the samples as they came, upright, for a hash of a picture that has no file.
    """

    pixels: UInt8[np.ndarray, "rows cols 3"]
    intensities: Float32[np.ndarray, "rows cols"]
    windows: tuple[Window, ...]
    warnings: tuple[str, ...]
    source: Shaped[np.ndarray, "rows cols *channels"]


def read_raster(data: bytes, kind: str) -> RasterImage:
    """Decode a PNG or JPEG file; raises ImageError."""
    if kind == "jpeg" and data.count(_START_OF_SCAN) > _MAX_JPEG_SCANS:
        raise ImageError(
            "The JPEG file is cut into more passes than any radiograph needs: it is damaged or "
            "made to do harm. Export it again."
        )
    notices = []
    if kind == "jpeg":
        notices.append("The picture was compressed with loss.")
    if kind == "png" and _is_deep_colour(data):
        notices.append("The 16-bit colours were reduced to 8 bits.")
    damaged = f"The {kind.upper()} file is damaged or cut off. Copy or export it again."
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            return _convert(picture, tuple(notices))
    except (ImageError, MemoryError):
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        # Raised while the header is read, by Pillow's own limits. Where its warning is only
        # printed, nothing is lost: it means more than 89 megapixels, which `_convert` refuses by
        # its own limit of 40 before a pixel is decoded. So no filter has to be set, which would
        # hold for all threads of the program.
        raise too_many_pixels("far more pixels than a radiograph") from None
    except Exception:  # Pillow's decoders raise many kinds, and quote the file when they do
        raise ImageError(damaged) from None


def read_picture(picture: Image.Image) -> RasterImage:
    """Convert a picture that the caller already holds; raises ImageError."""
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


def _convert(picture: Image.Image, notices: tuple[str, ...]) -> RasterImage:
    check_picture_size(picture.height, picture.width)
    frames = getattr(picture, "n_frames", 1)
    if picture.format != "MPO" and frames > 1:
        # Phones write MPO: the photograph, then its depth map or the other eye.
        raise ImageError(
            f"The picture is animated ({frames} frames); a radiograph is one still "
            "picture. Export the frame you want as its own PNG or JPEG."
        )
    picture.load()
    upright, turned = _upright(picture)
    warnings = [*notices, *turned]
    if upright.mode in _DEEP_MODES:
        return _deep(np.asarray(upright), warnings)
    if "A" in upright.mode or "a" in upright.mode or "transparency" in upright.info:
        flat = upright.convert("RGBA")
        if np.asarray(flat.getchannel("A")).min() < 255:
            warnings.append("Transparent parts of the picture were made black.")
        black = Image.new("RGBA", flat.size, (0, 0, 0, 255))
        upright = Image.alpha_composite(black, flat).convert("RGB")
    source = np.asarray(upright)
    pixels = np.array(upright if upright.mode == "RGB" else upright.convert("RGB"))
    intensities = luma(pixels)
    return RasterImage(pixels, intensities, (EIGHT_BIT,), tuple(warnings), source)


def _deep(values: Shaped[np.ndarray, "rows cols"], warnings: list[str]) -> RasterImage:
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
    warnings.append("The picture has more than 8 bits; the model sees 8, darkest to brightest.")
    pixels = as_rgb(apply_window(intensities, window))
    return RasterImage(pixels, intensities, (window,), tuple(warnings), values)


def _upright(picture: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """Turn the picture as its EXIF orientation says; unreadable EXIF is left aside."""
    try:
        orientation = picture.getexif().get(_EXIF_ORIENTATION, _UPRIGHT)
        turned = ImageOps.exif_transpose(picture) if orientation != _UPRIGHT else picture
    except (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error, OverflowError):
        return picture, ("The picture's EXIF data cannot be read; it is shown as stored.",)
    if turned is picture or orientation not in range(2, 9):
        return turned, ()
    return turned, ("The picture was turned as its EXIF orientation says.",)


def _is_deep_colour(data: bytes) -> bool:
    """Whether a PNG holds 16-bit samples in colour or with alpha, which Pillow cuts to 8."""
    depth_and_type = data[24:26]
    return len(depth_and_type) == 2 and depth_and_type[0] == 16 and depth_and_type[1] != 0
