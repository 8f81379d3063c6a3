"""Whether run-length data are exactly one picture (PS3.5 annex G). Runs in the decoding process.

The decoder refuses too few bytes and drops what is too much; but a run whose length was damaged
moves all that follows it, to either side.
"""

from __future__ import annotations

import struct
from itertools import pairwise

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.dicom.coverage import CUT_SHORT
from medgemma_dash.imaging.jpeg import NOT_USED_UP

_HEADER_BYTES, _MOST_SEGMENTS = 64, 15
_NO_OPERATION = 128


def check_run_lengths(frame: bytes, plane_bytes: int) -> tuple[str, ...]:
    """Raise ImageError where a segment's runs do not end where the picture does; returns notices.

    plane_bytes: rows times columns, what each segment holds. Zeros behind its end are padding.
    """
    if len(frame) < _HEADER_BYTES:
        raise ImageError(CUT_SHORT)
    count, *offsets = struct.unpack_from("<16I", frame)
    bounds = [*offsets[: min(count, _MOST_SEGMENTS)], len(frame)]
    left_over = False
    for start, end in pairwise(bounds):
        segment = frame[start:end]
        used = _bytes_used(segment, plane_bytes)
        if used is None:
            raise ImageError(CUT_SHORT)
        left_over = left_over or any(segment[used:])
    return (NOT_USED_UP,) if left_over else ()


def _bytes_used(segment: bytes, wanted: int) -> int | None:
    """After how many of its bytes a segment has given those wanted; None if never exactly."""
    at, given, end = 0, 0, len(segment)
    while given < wanted and at < end:
        code = segment[at]
        if code < _NO_OPERATION:  # that many and one as they are
            given, at = given + code + 1, at + code + 2
        elif code > _NO_OPERATION:  # one, again and again
            given, at = given + 257 - code, at + 2
        else:
            at += 1
    return at if given == wanted and at <= end else None
