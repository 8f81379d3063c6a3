"""PNG and JPEG files that must be refused, made by code."""

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tests.imaging.dicom_files import jpeg_stream, sample_picture

SQUARE_8 = sample_picture(64, 64, 8)


def saved(kind: str, size: tuple[int, int] = (64, 64), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (90, 90, 90)).save(buffer, kind, **options)
    return buffer.getvalue()


def noise(kind: str) -> bytes:
    buffer = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    Image.fromarray(values).save(buffer, kind)
    return buffer.getvalue()


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", rows)
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def zeros(count: int, wbits: int = 15) -> bytes:
    """Many zeros, deflated, made in no time: one block, fully flushed, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    raw = block * (count // 2**20) + b"\x03\x00"
    if wbits < 0:
        return raw
    checksum = (count % 65_521) << 16 | 1  # Adler-32 of zeros
    return b"\x78\xda" + raw + struct.pack(">I", checksum)


def _png_text_bomb() -> bytes:
    good = saved("PNG")
    bomb = _chunk(b"zTXt", b"note\0\0" + zeros(200 * 2**20))
    return good[:33] + bomb * 8 + good[33:]


def jpeg_with_size(height: int, width: int) -> bytes:
    stream = bytearray(jpeg_stream(SQUARE_8))
    at = stream.index(b"\xff\xc0") + 5
    stream[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(stream)


def _jpeg_of_many_scans() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (4000, 4000)).save(buffer, "JPEG", progressive=True)
    stream = buffer.getvalue()
    last = stream.rindex(b"\xff\xda")
    return stream[:-2] + stream[last:-2] * 5000 + b"\xff\xd9"


def _jpeg_with_more(more: bytes) -> bytes:
    stream = jpeg_stream(SQUARE_8)
    return stream[:2] + more + stream[2:]


def _png_with_more(more: bytes) -> bytes:
    good = saved("PNG")
    return good[:33] + more + good[33:]


def _transparent_png(rows: int, cols: int) -> bytes:
    """Many megapixels of red, green, blue and alpha in a small file, of which a part is missing."""
    return png(cols, rows, zeros(rows * (1 + 4 * cols) * 9 // 10), colour=6)


def _animated_png() -> bytes:
    frames = [Image.new("L", (64, 64), value) for value in (10, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


HOSTILE_PICTURES: dict[str, Callable[[], bytes]] = {
    "png cut in half": lambda: noise("PNG")[:30_000],
    "png signature only": lambda: b"\x89PNG\r\n\x1a\n",
    "png with a wrong checksum": lambda: noise("PNG")[:60_000] + b"\0" + noise("PNG")[60_001:],
    "png bomb by its header": lambda: png(60_000, 60_000, zeros(2**20)),
    "png beyond any size": lambda: png(2**31 - 1, 2**31 - 1, zeros(2**20)),
    "png bomb just over the limit": lambda: png(8000, 5001, zeros(40 * 2**20)),
    "png without content": lambda: png(64, 64, b""),
    "png text bomb": _png_text_bomb,
    "png of one pixel": lambda: png(1, 1, zlib.compress(b"\0\0")),
    "png of one row": lambda: png(100_000, 1, zlib.compress(bytes(100_001))),
    "png strip": lambda: png(2000, 40, zlib.compress(bytes(2001 * 40))),
    "animated png": _animated_png,
    "jpeg cut in half": lambda: noise("JPEG")[:20_000],
    "jpeg signature only": lambda: b"\xff\xd8\xff\xe0",
    "jpeg bomb by its header": lambda: jpeg_with_size(65_500, 65_500),
    "jpeg of thousands of scans": _jpeg_of_many_scans,
    "jpeg of many exif segments": lambda: _jpeg_with_more(
        (b"\xff\xe1\0\x28Exif\0\0" + bytes(32)) * 100_000
    ),
    "jpeg of millions of markers": lambda: _jpeg_with_more(b"\xff\x01" * 10_000_000),
    "jpeg of fill": lambda: _jpeg_with_more(b"\xff" * 20_000_000),
    "jpeg closed by hand": lambda: noise("JPEG")[:20_000] + b"\xff\xd9",
    "png of a million chunks": lambda: _png_with_more(_chunk(b"IDAT", b"") * 1_000_000),
    "png of many texts": lambda: _png_with_more(_chunk(b"tEXt", b"key\0word") * 100_000),
    "png of 40 transparent megapixels": lambda: _transparent_png(6000, 6600),
}
