"""The size that a compressed picture states in its own header. Runs in the decoding process.

Decoders believe the stream, not the DICOM header around it, and reserve memory accordingly: a
stream of 1 kB can say 65,500 x 65,500. So the two are compared before a decoder is called.
"""

import struct

_JPEG_START, _J2K_START = b"\xff\xd8", b"\xff\x4f\xff\x51"
_JP2_START = b"\0\0\0\x0cjP  "
_J2K_SIZE_AT = 8
# Start-of-frame markers; 0xC4, 0xC8 and 0xCC are tables, 0xF7 is JPEG-LS.
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def stated_size(stream: bytes) -> tuple[int, int] | None:
    """(rows, cols) of a JPEG, JPEG-LS or JPEG 2000 stream; None if it is none or is broken."""
    if stream.startswith(_JP2_START):
        start = stream.find(_J2K_START)
        stream = stream[start:] if start >= 0 else b""
    if stream.startswith(_J2K_START):
        return _j2k_size(stream)
    if stream.startswith(_JPEG_START):
        return _jpeg_size(stream)
    return None


def _j2k_size(stream: bytes) -> tuple[int, int] | None:
    fields = stream[_J2K_SIZE_AT : _J2K_SIZE_AT + 16]
    if len(fields) < 16:
        return None
    right, bottom, left, top = struct.unpack(">4I", fields)
    return bottom - top, right - left


def _jpeg_size(stream: bytes) -> tuple[int, int] | None:
    at = len(_JPEG_START)
    while at + 9 <= len(stream):
        if stream[at] != 0xFF:
            return None
        marker = stream[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _FRAME_MARKERS:
            rows, cols = struct.unpack_from(">HH", stream, at + 5)
            return rows, cols
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
    return None
