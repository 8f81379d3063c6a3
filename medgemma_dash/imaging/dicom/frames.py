"""The one frame that is read, whatever counts and offset tables say of it.

A wrong basic offset table (PS3.5 A.4) would point into the middle of a stream, or beyond it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate

from pydicom.encaps import generate_fragments

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.dicom.layout import Layout

_SURPLUS = "The file holds more pixel data than its one picture needs; the first is shown."
_WRONG_TABLE = "The file's table of frames is wrong; all its pixel data are taken as one picture."
_ITEM_HEADER_BYTES = 8
_ITEM = b"\xfe\xff\x00\xe0"


@dataclass(frozen=True)
class Frame:
    """data: native pixels, or a compressed stream. notices: where the file contradicts itself."""

    data: bytes
    notices: tuple[str, ...] = ()


def native_frame(pixel_data: bytes, layout: Layout) -> Frame:
    """The first frame of uncompressed pixel data; raises ImageError for several."""
    length = layout.frame_bytes
    _check_one(layout.frames, len(pixel_data) // length)
    surplus = len(pixel_data) > length + 1
    return Frame(pixel_data, (*((_SURPLUS,) if surplus else ()), *_count_notice(layout.frames)))


def compressed_frame(pixel_data: bytes, layout: Layout) -> Frame:
    """The first frame of encapsulated pixel data; raises ImageError for several, and ValueError
    for data that are not encapsulated.

    A table that points at fragments, in order and from the first on, divides them into frames;
    without one, or with a wrong one, they are all of the frame.
    """
    table, *fragments = [*generate_fragments(pixel_data)] or [b""]
    starts = [0, *accumulate(_ITEM_HEADER_BYTES + len(part) for part in fragments)][:-1]
    offsets = list(struct.unpack(f"<{len(table) // 4}I", table[: len(table) // 4 * 4]))
    divides = offsets[:1] == [0] and offsets == sorted(set(offsets)) and set(offsets) <= set(starts)
    if divides and len(offsets) > 1:
        _check_one(layout.frames, len(offsets))
        return Frame(b"".join(fragments[: starts.index(offsets[1])]), (_SURPLUS,))
    whole = [part for part in fragments if part]
    if not divides:
        _check_one(layout.frames, len(whole))
    wrong = (_WRONG_TABLE,) if table and not divides else ()
    return Frame(b"".join(whole), (*wrong, *_count_notice(layout.frames)))


def encapsulated(stream: bytes) -> bytes:
    """A stream as the pixel data of one frame: an empty offset table, and one fragment."""
    padded = stream + b"\0" * (len(stream) % 2)
    return _ITEM + bytes(4) + _ITEM + struct.pack("<I", len(padded)) + padded


def _check_one(stated: int, present: int) -> None:
    if stated > 1 and present > 1:
        raise ImageError(
            f"The DICOM file holds {stated} frames; one radiograph is read at a time. "
            "Export the frame you want as its own file."
        )


def _count_notice(stated: int) -> tuple[str, ...]:
    if stated == 1:
        return ()
    return (f"The file states {stated} frames but holds one picture, which is shown.",)
