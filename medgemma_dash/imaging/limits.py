"""What is refused before any pixel is decoded. A full-size chest film has 6 to 20 megapixels."""

from medgemma_dash.core.errors import ImageError

MAX_FILE_BYTES = 50 * 2**20
MAX_PIXELS = 40_000_000
MIN_SIDE = 32
MAX_ASPECT_RATIO = 8.0

# The largest honest file (40 megapixels, 16 bits, JPEG 2000, with a lookup table) stays below.
DECODE_MEGABYTES = 2048
DECODE_SECONDS = 30.0


def check_file_size(size: int) -> None:
    """Raise ImageError for an empty or an overlong file."""
    if size == 0:
        raise ImageError("The file is empty. Choose a PNG, JPEG or DICOM chest radiograph.")
    if size > MAX_FILE_BYTES:
        raise ImageError(
            f"The file is larger than {MAX_FILE_BYTES // 2**20} MB, the most that is read. "
            "Export the radiograph compressed, or smaller."
        )


def check_picture_size(height: int, width: int) -> None:
    """Raise ImageError for a picture that is too large, too small or too narrow."""
    if height < 1 or width < 1:
        raise ImageError(
            "The file states no picture size: it is damaged or holds no picture. "
            "Export it again from where it came from."
        )
    if height * width > MAX_PIXELS:
        raise too_many_pixels(f"{width} x {height} pixels")
    if min(height, width) < MIN_SIDE:
        raise ImageError(
            f"The picture has {width} x {height} pixels; each side needs at least {MIN_SIDE}. "
            "Choose the radiograph itself, not a thumbnail."
        )
    if max(height, width) > MAX_ASPECT_RATIO * min(height, width):
        raise ImageError(
            f"The picture has {width} x {height} pixels, which is no shape for a chest "
            f"radiograph: one side may be at most {MAX_ASPECT_RATIO:.0f} times the other. "
            "Choose a frontal chest radiograph."
        )


def too_many_pixels(stated: str) -> ImageError:
    """The error for a picture of `stated` size, such as "9000 x 9000 pixels"."""
    return ImageError(
        f"The picture is said to have {stated}; the limit is {MAX_PIXELS // 1_000_000} "
        "megapixels. Export the radiograph smaller."
    )
