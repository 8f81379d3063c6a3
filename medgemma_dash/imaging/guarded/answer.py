"""A decoded picture on its way from the guarded process: a JSON header and raw values, no pickle.

Received, it is checked: a decoder may have been taken over by its input.
"""

import json
from dataclasses import astuple
from typing import IO, Any

import numpy as np
from jaxtyping import Shaped

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Laterality, Window
from medgemma_dash.imaging.decoded import DecodedImage
from medgemma_dash.imaging.limits import check_picture_size
from medgemma_dash.imaging.window import is_usable
from medgemma_dash.imaging.window_names import distinct

# What `receive` may raise besides ImageError when an answer is broken or ends early.
UNREADABLE = (EOFError, ValueError, TypeError, KeyError, OverflowError, RecursionError)

_LENGTH_BYTES = 4
_MAX_HEADER_BYTES = 2**16


def send(stream: IO[bytes], header: dict[str, Any], content: bytes | memoryview = b"") -> None:
    """Write the header's length, the header, and the content."""
    encoded = json.dumps(header, allow_nan=False).encode()
    stream.write(len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded)
    stream.write(content)


def receive_header(stream: IO[bytes]) -> dict[str, Any]:
    """Read a header; raises EOFError when the other side ends early."""
    length = int.from_bytes(receive_bytes(stream, _LENGTH_BYTES), "little")
    if length > _MAX_HEADER_BYTES:
        raise ValueError("header")
    header: dict[str, Any] = json.loads(receive_bytes(stream, length))
    return header


def receive_bytes(stream: IO[bytes], count: int) -> bytearray:
    """Read exactly so many bytes; raises EOFError when the other side ends early."""
    buffer = bytearray(count)
    _fill(stream, memoryview(buffer))
    return buffer


def described(image: DecodedImage) -> tuple[dict[str, Any], memoryview]:
    """The header and the content that carry an image."""
    picture = np.ascontiguousarray(image.picture)
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise ValueError("pixels")
    header = {
        "shape": picture.shape,
        "dtype": str(picture.dtype),
        "windows": [astuple(window) for window in image.windows],
        "laterality": (str(image.laterality), image.laterality.source, image.laterality.head),
        "spacing_mm": image.spacing_mm,
        "tags": image.tags,
        "warnings": image.warnings,
    }
    return header, picture.data.cast("B")


def receive(stream: IO[bytes]) -> DecodedImage:
    """Read and check an answer; raises ImageError with the reason when it carries one."""
    header = receive_header(stream)
    if "error" in header:
        raise ImageError(str(header["error"])[:500])
    shape = tuple(int(side) for side in header["shape"])
    dtype = {"float32": np.float32, "uint8": np.uint8}[header["dtype"]]
    if len(shape) != 2 and (len(shape), shape[2:], dtype) != (3, (3,), np.uint8):
        raise ValueError("shape")
    try:
        check_picture_size(shape[0], shape[1])
    except ImageError:
        raise ValueError("size") from None  # the other side checks it, too
    picture = np.empty(shape, dtype)
    _fill(stream, picture.data.cast("B"))
    if picture.dtype == np.float32 and not np.isfinite(picture).all():
        raise ValueError("pixels")
    return _checked(header, picture)


def _checked(
    header: dict[str, Any], picture: Shaped[np.ndarray, "rows cols *channels"]
) -> DecodedImage:
    windows = tuple(
        Window(str(name), float(centre), float(width), bool(exact))
        for name, centre, width, exact in header["windows"]
    )
    if not windows or windows != distinct(windows) or not all(map(is_usable, windows)):
        raise ValueError("windows")
    side, source, head = header["laterality"]
    spacing = header["spacing_mm"]
    return DecodedImage(
        picture=picture,
        windows=windows,
        laterality=Laterality(side, str(source), head),
        spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
        tags=tuple((str(name), str(value)) for name, value in header["tags"]),
        warnings=tuple(str(warning) for warning in header["warnings"]),
    )


def _fill(stream: IO[bytes], target: memoryview) -> None:
    at = 0
    while at < len(target):
        count = stream.readinto(target[at:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        at += count
