"""What of a JPEG 2000 codestream no encoder can have written. Runs in the decoding process.

An arithmetic decoder makes something of any bytes, and OpenJPEG, strict as it is, speaks only
where lengths do not add up: a hole of zeros in a code block becomes wrong pixels without a word.
Two things in the bytes themselves tell:

- Compressed data hold no marker: 0xFF is followed by at most 0x8F (ISO/IEC 15444-1, B.10 and C.2).
- They look random. 16 equal bytes in a row come by chance in less than one of 10**28 films; in 7
  films compressed in 60 ways the longest row in code blocks was 5. Empty packets are the exception,
  one equal byte each, and later layers' headers, one zero bit for each block to which they add
  nothing: as many of those as the stream can have are allowed for.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.jpeg import NOT_USED_UP

HOLED = (
    "The compressed picture in the DICOM file is damaged: part of its data was overwritten. Copy "
    "or export it again."
)

_START, _CODING, _TILE_PART, _DATA = b"\xff\x4f\xff\x51", 0xFF52, 0xFF90, 0xFF93
_TILE_PART_LENGTH_AT = 6
_UNLIKELY_ROW = 16
_WHOLE_PRECINCT = (15, 15)
# Raw bits may all be 0 in a picture of few greys; in high-throughput films rows of 31 were met.
_RAW_BITS, _HIGH_THROUGHPUT = 0x01, 0x40
_OWN_PRECINCTS, _MARKED_PACKETS = 0x01, 0x06
_PACKET_MARKERS = re.compile(rb"\xff\x91\x00\x04..|\xff\x92", re.DOTALL)
_MARKER = re.compile(rb"\xff[\x90-\xff]")


@dataclass(frozen=True)
class _Coding:
    """How the picture is cut up. Blocks and precincts, one a resolution, are powers of 2."""

    size: tuple[int, int]
    tile: tuple[int, int]
    components: int
    layers: int
    block: tuple[int, int]
    precincts: tuple[tuple[int, int], ...]
    style: int
    has_marked_packets: bool

    @property
    def longest_row(self) -> int:
        """How many equal bytes a sound stream may hold in a row."""
        packets, blocks = 0, 0
        for resolution, precinct in enumerate(self.precincts):
            down, halved = len(self.precincts) - 1 - resolution, min(resolution, 1)
            here, inside = 1, 3 if resolution else 1  # bands
            for axis in (0, 1):
                tile = _pieces(self.tile[axis], down)
                whole = _pieces(_pieces(self.size[axis], down), precinct[axis])
                here *= min(whole, _pieces(tile, precinct[axis]) + 1)
                band = min(_pieces(tile, halved), 1 << max(precinct[axis] - halved, 0))
                inside *= _pieces(band, self.block[axis]) + 1
            packets, blocks = packets + here, max(blocks, inside)
        in_header = _pieces(blocks, 3) if self.layers > 1 else 0
        return _UNLIKELY_ROW + packets * self.layers * self.components + in_header


def check_codestream(stream: bytes) -> tuple[str, ...]:
    """Raise ImageError where part of the compressed data cannot be such; returns notices.

    stream: JPEG 2000, bare or as a JP2 file. A broken header is left to the decoder.
    """
    start = stream.find(_START)
    try:
        coding, parts = _read(stream, start)
    except struct.error:  # cut short
        return ()
    if start < 0 or coding is None:
        return ()
    ends_in_row = False
    for part in parts:
        data = _PACKET_MARKERS.sub(b"", part) if coding.has_marked_packets else part
        if _MARKER.search(data):
            raise ImageError(HOLED)
        if coding.style & (_RAW_BITS | _HIGH_THROUGHPUT):
            continue
        before_end = data.rstrip(data[-1:])
        if _has_row(before_end, coding.longest_row):
            raise ImageError(HOLED)
        # Perhaps only what a writer filled up with.
        ends_in_row = ends_in_row or len(data) - len(before_end) >= coding.longest_row
    return (NOT_USED_UP,) if ends_in_row else ()


def _read(stream: bytes, start: int) -> tuple[_Coding | None, list[bytes]]:
    """What the main header says, and the data of each tile part; raises struct.error."""
    right, bottom, left, top, wide, high = struct.unpack_from(">6I", stream, start + 8)
    (components,) = struct.unpack_from(">H", stream, start + 40)
    coding = None
    for marker, at in _segments(stream, start + 2):
        if marker == _TILE_PART:
            return coding, list(_tile_data(stream, at))
        if marker == _CODING:
            flags, _, layers, _, levels, *block, style = struct.unpack_from(
                ">BBHBBBBB", stream, at + 4
            )
            own = stream[at + 14 : at + 15 + levels] if flags & _OWN_PRECINCTS else b""
            precincts = tuple((byte & 15, byte >> 4) for byte in own)
            coding = _Coding(
                size=(right, bottom),
                tile=(min(wide, right - left), min(high, bottom - top)),
                components=components,
                layers=layers,
                block=(block[0] + 2, block[1] + 2),
                precincts=precincts or (_WHOLE_PRECINCT,) * (levels + 1),
                style=style,
                has_marked_packets=bool(flags & _MARKED_PACKETS),
            )
    return None, []


def _segments(stream: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Markers with a length, and where they stand; raises struct.error behind the end."""
    while True:
        marker, length = struct.unpack_from(">HH", stream, at)
        yield marker, at
        at += 2 + length


def _tile_data(stream: bytes, at: int) -> Iterator[bytes]:
    """The compressed data of each tile part, from the one at `at` on."""
    while stream[at : at + 2] == _TILE_PART.to_bytes(2, "big"):
        (length,) = struct.unpack_from(">I", stream, at + _TILE_PART_LENGTH_AT)
        end = at + length if length else max(stream.rfind(b"\xff\xd9"), at)
        for marker, begin in _segments(stream, at):
            if marker == _DATA:
                yield stream[begin + 2 : end]
                break
        at = max(end, at + 1)


def _has_row(data: bytes, length: int) -> bool:
    """Whether that many equal bytes stand in a row."""
    values = np.frombuffer(data, np.uint8)
    equal, reach = values[1:] == values[:-1], 1  # of each byte and the `reach` behind it
    while reach < length - 1:
        step = min(reach, length - 1 - reach)
        equal, reach = equal[:-step] & equal[step:], reach + step
    return bool(equal.any())


def _pieces(length: int, power: int) -> int:
    """How many pieces of 2**power cover a length."""
    return -(-length >> power)
