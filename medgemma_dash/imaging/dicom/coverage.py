"""Whether a compressed frame holds the whole picture, no more and no less.

Decoders fill in what is missing, silently: libjpeg says so where it is asked (see
`check_compressed_data`), and OpenJPEG and the run-length decoder refuse; what those two cannot
know stands in codestream.py and run_lengths.py. The decoder of JPEG-LS and of 12-bit and lossless
JPEG does neither. For it the frame is decoded twice more: with something behind its end, which
changes the picture only if the decoder had run out of data; and with its last bytes altered, which
changes the picture unless they were never read.
"""

import re

import numpy as np
from jaxtyping import Shaped

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.dicom.codestream import check_codestream
from medgemma_dash.imaging.jpeg import (
    NOT_USED_UP,
    check_compressed_data,
    check_jpeg,
    jpeg_kind,
)

CUT_SHORT = (
    "The compressed picture in the DICOM file is damaged or cut short: part of it is missing or "
    "wrong. Copy or export it again."
)

_JPEG_START, _END = b"\xff\xd8", b"\xff\xd9"
_RESTART = re.compile(rb"\xff([\xd0-\xd7])")
_RESTART_INTERVAL = b"\xff\xdd"
# No byte of it begins a marker, whatever stands before it.
_MORE = b"\x00" + b"\x5a\x17\x63\x3d" * 32
_ALTERED_BYTES = 16


def check_coverage(frame: bytes) -> tuple[str, ...]:
    """Raise ImageError where part of a picture is missing or overwritten; returns notices.

    frame: one compressed frame, not of run lengths.
    """
    if not frame.startswith(_JPEG_START):
        return check_codestream(frame)
    kind = jpeg_kind(frame)
    if kind.is_read_by_libjpeg:
        return check_compressed_data(check_jpeg(frame))
    end = frame.rfind(_END)
    stream = (frame if end < 0 else frame[:end]).rstrip(b"\xff")
    whole = _decoded(stream)
    if whole is None or not _same(whole, _decoded(stream + _more(stream))):
        raise ImageError(CUT_SHORT)
    return (NOT_USED_UP,) if _same(whole, _decoded(_altered(stream))) else ()


def _more(stream: bytes) -> bytes:
    """What to put behind the end: also behind a restart marker, if the frame has them."""
    if _RESTART_INTERVAL not in stream[: stream.find(b"\xff\xda")]:
        return _MORE
    restarts = _RESTART.findall(stream)
    following = 0xD0 + (restarts[-1][0] - 0xD0 + 1) % 8 if restarts else 0xD0
    return _MORE + bytes((0xFF, following)) + _MORE


def _altered(stream: bytes) -> bytes:
    """The stream with its last bytes changed; padding is not among them."""
    kept = stream.rstrip(b"\0")
    head, tail = kept[:-_ALTERED_BYTES], kept[-_ALTERED_BYTES:]
    return head + bytes(0x2A if byte == 0xAA else byte ^ 0x55 for byte in tail)


def _decoded(stream: bytes) -> Shaped[np.ndarray, "rows cols *channels"] | None:
    import libjpeg

    try:
        found: Shaped[np.ndarray, "rows cols *channels"] = libjpeg.decode(stream + _END)
    except MemoryError:
        raise
    except Exception:  # what the decoder says is no part of the answer
        return None
    return found


def _same(
    whole: Shaped[np.ndarray, "rows cols *channels"],
    other: Shaped[np.ndarray, "rows cols *channels"] | None,
) -> bool:
    return other is not None and np.array_equal(whole, other)
