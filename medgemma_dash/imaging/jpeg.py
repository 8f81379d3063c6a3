"""JPEG files: what is checked before and after a library reads them.

Pillow joins EXIF segments one by one, which is quadratic in their number, keeps every segment,
and is silent where libjpeg runs out of compressed data or cannot make sense of it.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medgemma_dash.core.errors import ImageError

# A progressive JPEG may go over the whole picture again with every scan; honest files have about
# ten, and each costs as much time as decoding the picture once.
MAX_SCANS = 64
# Large ICC profiles, XMP and depth maps come in segments of 64 kB, EXIF in one.
MAX_SEGMENTS = 512
MAX_EXIF_SEGMENTS = 16
# Fill and rubbish between segments.
MAX_STRAY_BYTES = 2**16
DAMAGED = "The JPEG file is damaged or cut off. Copy or export it again."
NOT_USED_UP = (
    "The compressed picture has data left over where it should end: part of it may be damaged. "
    "Compare it with the original."
)

_START, _END_OF_IMAGE = b"\xff\xd8", 0xD9
_START_OF_SCAN, _EXIF = 0xDA, 0xE1
_ABOUT_THE_PICTURE = frozenset({*range(0xE0, 0xF0), 0xFE})  # application data and comments
_BITS_AT = 4  # in a frame header, with its marker
_BASELINE, _EXTENDED, _PROGRESSIVE, _LOSSLESS, _JPEG_LS = 0xC0, 0xC1, 0xC2, 0xC3, 0xF7
_FRAMES = frozenset({*range(0xC0, 0xD0), _JPEG_LS}) - {0xC4, 0xC8, 0xCC}
# Markers without content: a temporary one, restarts, starts and ends.
_BARE = frozenset({0x01, *range(0xD0, 0xDA)})
_MARKER = re.compile(rb"\xff([\x01-\xfe])")
# In compressed data 0xFF is followed by 0, or by a restart; JPEG-LS has seven bits there.
_AFTER_SCAN = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_COMPLAINT = re.compile(rb"Corrupt JPEG data: [^\n]*|Premature end of JPEG[^\n]*")
_SURPLUS = re.compile(rb"extraneous bytes before marker 0xd9")


@dataclass(frozen=True)
class JpegKind:
    """How the picture is compressed. marker: the one that begins its frame."""

    marker: int
    bits: int

    @property
    def is_lossless(self) -> bool:
        """Whether nothing of the picture was given up."""
        return self.marker == _LOSSLESS

    @property
    def is_read_by_libjpeg(self) -> bool:
        """Whether it is one of the kinds that image libraries read."""
        return self.bits == 8 and self.marker in (_BASELINE, _EXTENDED, _PROGRESSIVE, _LOSSLESS)

    def __str__(self) -> str:
        if self.marker == _JPEG_LS:
            return "JPEG-LS"
        if self.marker > _LOSSLESS:
            return "a hierarchical or arithmetic-coded JPEG"
        return f"a {'lossless ' if self.is_lossless else ''}JPEG of {self.bits} bits"


@dataclass(frozen=True)
class _Segment:
    """A marker and what belongs to it: data[at:end]. before: what lies ahead of it unclaimed."""

    code: int
    before: int
    at: int
    end: int


def jpeg_kind(data: bytes) -> JpegKind:
    """What the first frame header says; raises ImageError without one."""
    for segment in _segments(data):
        if segment.code in _FRAMES and segment.end - segment.at > _BITS_AT:
            return JpegKind(segment.code, data[segment.at + _BITS_AT])
    raise ImageError(DAMAGED)


def check_jpeg(data: bytes) -> bytes:
    """Walk the markers in linear time, without decoding; raises ImageError.

    Refuses more passes and segments than any camera writes. Returns the picture alone, without
    application data, comments, and what follows its end, as further pictures in phones' files do.
    """
    kept, scans, end = [_START], 0, len(_START)
    for segment in _segments(data):
        if scans:
            kept.append(data[segment.before : segment.at])
        if segment.code not in _ABOUT_THE_PICTURE:
            kept.append(data[segment.at : segment.end])
        scans += segment.code == _START_OF_SCAN
        end = segment.end
        if segment.code == _END_OF_IMAGE:
            break
    else:  # cut off; libjpeg says whether the picture was complete
        kept += [data[end:], b"\xff\xd9"]
    if not scans:
        raise ImageError(DAMAGED)
    return b"".join(kept)


def _segments(data: bytes) -> Iterator[_Segment]:
    """The segments up to the picture's end; raises ImageError where they are too many."""
    end, segments, exif, scans, stray = len(_START), 0, 0, 0, 0
    while found := (_AFTER_SCAN if scans else _MARKER).search(data, end):
        code, before, end = data[found.start() + 1], end, found.end()
        if code not in _BARE:
            length = int.from_bytes(data[end : end + 2], "big")
            end += length
            if length < 2 or end > len(data):
                raise ImageError(DAMAGED)
        stray += 0 if scans else found.start() - before
        segments, exif = segments + 1, exif + (code == _EXIF)
        scans += code == _START_OF_SCAN
        too_many = segments > MAX_SEGMENTS or exif > MAX_EXIF_SEGMENTS or scans > MAX_SCANS
        if too_many or stray > MAX_STRAY_BYTES:
            raise ImageError(
                "The JPEG file is cut into more passes or pieces than any radiograph needs: it is "
                "damaged or made to do harm. Export it again."
            )
        yield _Segment(code, before, found.start(), end)
        if code == _END_OF_IMAGE:
            return


def check_compressed_data(picture: bytes) -> tuple[str, ...]:
    """Have libjpeg read all compressed data, and hear what it says; returns notices.

    picture: from `check_jpeg`; what else a file holds may make libjpeg speak for no reason.

    Raises ImageError where data are missing or make no sense. OpenCV is asked because it lets
    libjpeg speak, on the standard error stream, where Pillow keeps it silent. It makes a picture
    of an eighth of the size where it can, for which all data are read all the same.
    """
    import cv2

    lossless = jpeg_kind(picture).is_lossless
    mode = cv2.IMREAD_UNCHANGED if lossless else cv2.IMREAD_REDUCED_GRAYSCALE_8
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # what does not fit is dropped
    kept = os.dup(2)
    try:
        os.dup2(writer, 2)
        found = cv2.imdecode(np.frombuffer(picture, np.uint8), mode)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(writer)
        with os.fdopen(reader, "rb") as said:
            complaints = _COMPLAINT.findall(said.read())
    if found is None or any(_SURPLUS.search(one) is None for one in complaints):
        raise ImageError(
            "The compressed picture is damaged or cut short: part of it is missing or wrong. Copy "
            "or export it again."
        )
    return (NOT_USED_UP,) if complaints else ()
