"""PNG files: what is checked before a library sees them, and 16-bit colours.

Pillow reads a PNG whose compressed data end before the last row as a whole picture, handles each
chunk in Python whatever their number, and cuts 16-bit colours to 8 bits.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt16

from medgemma_dash.core.errors import ImageError

# Encoders write a chunk for each 4 to 8 kB of pixels, or one for all, and a dozen of other kinds.
MAX_DATA_CHUNKS = 2**16
MAX_OTHER_CHUNKS = 256
DAMAGED = "The PNG file is damaged or cut off. Copy or export it again."

_SIGNATURE_BYTES = 8
_HEADER = struct.Struct(">IIBBBBB")
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# First row and column of each pass of an interlaced picture, and the steps between them.
_ADAM7 = (
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
    (1, 0, 2, 1),
)  # fmt: skip
_PIECE_BYTES = 2**20


@dataclass(frozen=True)
class PngHeader:
    """The IHDR chunk."""

    cols: int
    rows: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def is_deep_colour(self) -> bool:
        """Whether it holds 16-bit samples in colour or with alpha."""
        return self.depth == 16 and self.colour != 0

    @property
    def raw_bytes(self) -> int:
        """The size of the uncompressed rows, each with its filter's byte."""
        passes = _ADAM7 if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for top, left, down, right in passes:
            rows, cols = -((top - self.rows) // down), -((left - self.cols) // right)
            if rows > 0 and cols > 0:
                total += rows * (1 + -(-cols * self.depth * _SAMPLES[self.colour] // 8))
        return total


def check_png(data: bytes) -> PngHeader:
    """Walk the chunks in linear time, without decoding; raises ImageError.

    Refuses more chunks than any camera or archive writes, and wrong checksums.
    """
    header = None
    pixels = others = 0
    for name, content, checksum in _chunks(data):
        pixels, others = pixels + (name == b"IDAT"), others + (name != b"IDAT")
        if pixels > MAX_DATA_CHUNKS or others > MAX_OTHER_CHUNKS:
            raise ImageError(
                "The PNG file is cut into more pieces than any radiograph needs: it is damaged or "
                "made to do harm. Export it again."
            )
        if zlib.crc32(content, zlib.crc32(name)) != checksum:
            raise ImageError(DAMAGED)
        if header is None:
            header = _header(name, content)
    if header is None or not pixels:
        raise ImageError(DAMAGED)
    return header


def check_rows(data: bytes, header: PngHeader) -> None:
    """Raise ImageError where the compressed data hold fewer rows than the file states.

    Inflates in small pieces, and no more than the picture needs.
    """
    missing = header.raw_bytes
    inflater = zlib.decompressobj()
    for name, content, _ in _chunks(data):
        rest: bytes | memoryview = content if name == b"IDAT" else b""
        while rest and missing > 0 and not inflater.eof:
            missing -= len(inflater.decompress(rest, min(missing, _PIECE_BYTES)))
            rest = inflater.unconsumed_tail
    while missing > 0 and not inflater.eof:
        piece = inflater.decompress(b"", min(missing, _PIECE_BYTES))
        if not piece:
            break
        missing -= len(piece)
    if missing > 0:
        raise ImageError(
            "The PNG file holds fewer rows than it states: part of the picture is missing. Copy "
            "or export it again."
        )


def deep_colours(data: bytes) -> UInt16[np.ndarray, "rows cols channels"]:
    """Decode 16-bit colours, as red, green, blue and, if the file has it, alpha."""
    import cv2

    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16 or found.ndim != 3:
        raise ImageError(DAMAGED)
    order = (2, 1, 0, 3)[: found.shape[2]]
    return np.ascontiguousarray(found[:, :, order])


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """(name, content, checksum) up to the end mark; raises ImageError where one does not fit."""
    view = memoryview(data)
    at = _SIGNATURE_BYTES
    while at + 12 <= len(data):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 12 + length
        if end > len(data):
            break
        name = bytes(view[at + 4 : at + 8])
        yield name, view[at + 8 : end - 4], int.from_bytes(view[end - 4 : end], "big")
        if name == b"IEND":
            return
        at = end
    raise ImageError(DAMAGED)


def _header(name: bytes, content: Iterable[int]) -> PngHeader:
    fields = bytes(content)
    if name != b"IHDR" or len(fields) != _HEADER.size:
        raise ImageError(DAMAGED)
    cols, rows, depth, colour, _, _, interlace = _HEADER.unpack(fields)
    if colour not in _SAMPLES or depth not in (1, 2, 4, 8, 16):
        raise ImageError(DAMAGED)
    return PngHeader(cols, rows, depth, colour, bool(interlace))
