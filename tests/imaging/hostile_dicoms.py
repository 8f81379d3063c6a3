"""DICOM files that must be refused, made by code."""

import struct
from collections.abc import Callable

import numpy as np

from tests.imaging.dicom_files import (
    EXPLICIT,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    RLE,
    dataset_for,
    encapsulated,
    file_bytes,
    jpeg_stream,
    native,
    raw_element,
    raw_file,
    sample_picture,
)
from tests.imaging.hostile_pictures import SQUARE_8, jpeg_with_size, zeros

SQUARE = sample_picture(64, 64, 12)


def _dicom_body(**replaced: tuple[int, int, bytes, bytes]) -> bytes:
    """A minimal data set, element by element, with some replaced."""
    elements = {
        "modality": (0x0008, 0x0060, b"CS", b"CR"),
        "samples": (0x0028, 0x0002, b"US", struct.pack("<H", 1)),
        "photometric": (0x0028, 0x0004, b"CS", b"MONOCHROME2 "),
        "rows": (0x0028, 0x0010, b"US", struct.pack("<H", 64)),
        "cols": (0x0028, 0x0011, b"US", struct.pack("<H", 64)),
        "allocated": (0x0028, 0x0100, b"US", struct.pack("<H", 16)),
        "stored": (0x0028, 0x0101, b"US", struct.pack("<H", 12)),
        "high": (0x0028, 0x0102, b"US", struct.pack("<H", 11)),
        "sign": (0x0028, 0x0103, b"US", struct.pack("<H", 0)),
        "extra": (0x0028, 0x0301, b"US", struct.pack("<H", 0)),
        "slope": (0x0028, 0x1053, b"DS", b"1 "),
        "pixels": (0x7FE0, 0x0010, b"OW", SQUARE.tobytes()),
    } | replaced
    return b"".join(raw_element(*element) for element in sorted(elements.values()))


def _raw_dicom(**replaced: tuple[int, int, bytes, bytes]) -> bytes:
    return raw_file(EXPLICIT.encode(), _dicom_body(**replaced))


def _deflated_bomb() -> bytes:
    """A valid header and then an element of 1 GB of zeros, deflated to about 1 MB."""
    return raw_file(b"1.2.840.10008.1.2.1.99", zeros(2**30, wbits=-15))


def _deep_sequences() -> bytes:
    start = struct.pack("<HH2s2xI", 0x0040, 0x0275, b"SQ", 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    return raw_file(EXPLICIT.encode(), (start + item) * 20_000)


def _many_elements() -> bytes:
    """Half a million empty elements in one sequence, then a picture."""
    item = struct.pack("<HH2sH", 0x0008, 0x1030, b"LO", 0) * 500_000
    sequence = struct.pack("<HH2s2xI", 0x0008, 0x1111, b"SQ", 0xFFFFFFFF)
    opened = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    return raw_file(EXPLICIT.encode(), sequence + opened + item)


def _multi_frame() -> bytes:
    dataset = dataset_for(SQUARE, NumberOfFrames=3)
    dataset.PixelData = SQUARE.tobytes() * 3
    return file_bytes(dataset)


def _jpeg_2000_of_other_size() -> bytes:
    """A stream that says 60,000 x 60,000 in a file that says 64 x 64."""
    import openjpeg

    stream = bytearray(openjpeg.encode(SQUARE_8, codec_format=0))
    at = stream.index(b"\xff\x51") + 6
    stream[at : at + 8] = struct.pack(">II", 60_000, 60_000)
    stream[at + 16 : at + 24] = struct.pack(">II", 60_000, 60_000)
    return encapsulated(bytes(stream), SQUARE_8, JPEG_2000_LOSSLESS)


def _syntax_element(uid: bytes) -> bytes:
    return raw_element(2, 0x10, b"UI", uid + b"\0" * (len(uid) % 2))


def _two_syntaxes(second: bytes) -> bytes:
    """The second one is what pydicom would go by."""
    return raw_file(EXPLICIT.encode(), _syntax_element(second) + _dicom_body())


def _short(value: int) -> bytes:
    return struct.pack("<H", value)


HOSTILE_DICOMS: dict[str, Callable[[], bytes]] = {
    "dicom jpeg closed by hand": lambda: encapsulated(
        jpeg_stream(SQUARE_8)[:800] + b"\xff\xd9", SQUARE_8, JPEG_BASELINE
    ),
    "dicom header only": lambda: bytes(128) + b"DICM",
    "dicom without transfer syntax": lambda: bytes(128) + b"DICM" + _dicom_body(),
    "dicom cut in its header": lambda: native(SQUARE, bits=12)[:200],
    "dicom cut in its pixels": lambda: native(SQUARE, bits=12)[:-3000],
    "dicom deflated bomb": _deflated_bomb,
    "dicom video": lambda: encapsulated(b"\0\0\1\xb3", SQUARE_8, "1.2.840.10008.1.2.4.100"),
    "dicom private syntax": lambda: raw_file(b"1.2.3.4.5.6.7", _dicom_body()),
    "dicom without pixels": lambda: native(SQUARE, bits=12, PixelData=None),
    "dicom with empty pixels": lambda: native(SQUARE, bits=12, PixelData=b""),
    "dicom ct": lambda: native(SQUARE, bits=12, Modality="CT"),
    "dicom report": lambda: native(SQUARE, bits=12, Modality="SR", PixelData=None),
    "dicom multi-frame": _multi_frame,
    "dicom with too few pixels": lambda: native(SQUARE, bits=12, Rows=65),
    "dicom without rows": lambda: native(SQUARE, bits=12, Rows=None),
    "dicom of no rows": lambda: _raw_dicom(rows=(0x0028, 0x0010, b"US", _short(0))),
    "dicom of absurd size": lambda: native(SQUARE, bits=12, Rows=65_535, Columns=65_535),
    "dicom of one pixel": lambda: native(SQUARE[:1, :1], bits=12),
    "dicom strip": lambda: native(np.zeros((40, 2000), np.uint16), bits=12),
    "dicom bits beyond the word": lambda: native(SQUARE, bits=17),
    "dicom of one bit": lambda: _raw_dicom(allocated=(0x0028, 0x0100, b"US", _short(1))),
    "dicom of 32 bits": lambda: native(SQUARE.astype(np.uint32)),
    "dicom rows are text": lambda: _raw_dicom(rows=(0x0028, 0x0010, b"LO", b"many")),
    "dicom rescale is not a number": lambda: _raw_dicom(slope=(0x0028, 0x1053, b"DS", b"nan ")),
    "dicom rescale by zero": lambda: _raw_dicom(slope=(0x0028, 0x1053, b"DS", b"0 ")),
    "dicom rescale beyond measure": lambda: _raw_dicom(slope=(0x0028, 0x1053, b"DS", b"1e300 ")),
    "dicom of two transfer syntaxes": lambda: _two_syntaxes(b"1.2.840.10008.1.2.1.99"),
    "dicom of two equal transfer syntaxes": lambda: _two_syntaxes(EXPLICIT.encode()),
    "dicom of a transfer syntax behind its header": lambda: raw_file(
        EXPLICIT.encode(), _dicom_body() + _syntax_element(b"1.2.840.10008.1.2.1.99")
    ),
    "dicom of many header elements": lambda: raw_file(
        EXPLICIT.encode(), raw_element(2, 0x100, b"SH", b"ab") * 100 + _dicom_body()
    ),
    "dicom header of unknown kinds": lambda: raw_file(
        EXPLICIT.encode(), raw_element(2, 0x16, b"ZZ", b"ab") + _dicom_body()
    ),
    "dicom colour of one sample": lambda: native(SQUARE_8, PhotometricInterpretation="RGB"),
    "dicom palette": lambda: native(SQUARE_8, PhotometricInterpretation="PALETTE COLOR"),
    "dicom planar lie": lambda: native(
        np.zeros((64, 64, 3), np.uint8), PlanarConfiguration=1, PixelData=SQUARE_8.tobytes()
    ),
    "dicom encapsulated garbage": lambda: encapsulated(bytes(range(256)), SQUARE_8, JPEG_BASELINE),
    "dicom jpeg 2000 garbage": lambda: encapsulated(
        b"\xff\x4f\xff\x51no", SQUARE_8, JPEG_2000_LOSSLESS
    ),
    "dicom rle garbage": lambda: encapsulated(b"\xff" * 100, SQUARE_8, RLE),
    "dicom jpeg of other size": lambda: encapsulated(
        jpeg_stream(sample_picture(128, 96, 8)), SQUARE_8, JPEG_BASELINE
    ),
    "dicom jpeg bomb": lambda: encapsulated(
        jpeg_with_size(65_500, 65_500), SQUARE_8, JPEG_BASELINE
    ),
    "dicom lossless jpeg bomb": lambda: encapsulated(
        jpeg_with_size(65_500, 65_500).replace(b"\xff\xc0", b"\xff\xc3"),
        SQUARE_8,
        JPEG_LOSSLESS_SV1,
    ),
    "dicom jpeg 2000 bomb": _jpeg_2000_of_other_size,
    "dicom native data said to be jpeg": lambda: raw_file(JPEG_BASELINE.encode(), _dicom_body()),
    "dicom deep sequences": _deep_sequences,
    "dicom of half a million elements": _many_elements,
}
