"""Pictures for the screen."""

import numpy as np
from jaxtyping import UInt8


def jpeg_bytes(
    pixels: UInt8[np.ndarray, "rows cols *channels"],
    quality: int = 90,
    longest_side: int | None = None,
) -> bytes:
    """Encode grey (rows, cols) or RGB (rows, cols, 3) pixels as JPEG.

    longest_side: shrink so that neither side is longer; a smaller picture is left as it is.
    Raises ValueError for any other shape or type of array.
    """
    import cv2  # takes 0.2 s to import, which reading a file need not pay

    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise ValueError(f"uint8 (H, W) or (H, W, 3), not {pixels.dtype} {pixels.shape}.")
    if longest_side is not None:
        pixels = shrunk(pixels, longest_side)
    ordered = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, encoded = cv2.imencode(".jpg", ordered, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("The pixels could not be encoded as JPEG.")
    return bytes(encoded)


def shrunk(
    pixels: UInt8[np.ndarray, "rows cols *channels"], longest_side: int
) -> UInt8[np.ndarray, "fewer_rows fewer_cols *channels"]:
    """The picture so small that neither side is longer; a smaller one is given back as it is."""
    import cv2

    height, width = pixels.shape[:2]
    if max(height, width) <= longest_side:
        return pixels
    scale = longest_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
