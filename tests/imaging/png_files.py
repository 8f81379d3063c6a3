"""PNG files made by code: any samples, any further chunks, by no library but zlib."""

import struct
import zlib
from typing import Any

import numpy as np

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk with its checksum."""
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png_rows(samples: Any) -> bytes:
    """The rows of (rows, cols[, channels]), 8 or 16 bits, each with its filter's byte."""
    stored = samples.astype(">u2") if samples.dtype.itemsize == 2 else samples
    return b"".join(b"\0" + row.tobytes() for row in stored)


def png(samples: Any, more: bytes = b"", compressed: bytes | None = None) -> bytes:
    """A file. more: chunks before the pixels. compressed: what they are, in place of the rows."""
    rows, cols, channels = (*samples.shape, 1)[:3]
    depth = 8 * samples.dtype.itemsize
    header = struct.pack(">IIBBBBB", cols, rows, depth, COLOUR_TYPES[channels], 0, 0, 0)
    content = zlib.compress(png_rows(samples)) if compressed is None else compressed
    return SIGNATURE + chunk(b"IHDR", header) + more + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def interlaced_png(samples: Any) -> bytes:
    """A grey file in the seven passes of Adam7."""
    rows, cols = samples.shape
    depth = 8 * samples.dtype.itemsize
    starts = ((0, 0), (0, 4), (4, 0), (0, 2), (2, 0), (0, 1), (1, 0))
    steps = ((8, 8), (8, 8), (8, 4), (4, 4), (4, 2), (2, 2), (2, 1))
    content = b"".join(
        png_rows(np.ascontiguousarray(samples[top::down, left::right]))
        for (top, left), (down, right) in zip(starts, steps, strict=True)
    )
    header = struct.pack(">IIBBBBB", cols, rows, depth, 0, 0, 0, 1)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
    return SIGNATURE + body
