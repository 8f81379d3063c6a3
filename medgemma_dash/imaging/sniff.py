"""What a file is, by its bytes. Names and stated types are never looked at."""

import re
from typing import Literal

from medgemma_dash.core.errors import ImageError

FileKind = Literal["png", "jpeg", "dicom"]

_DICOM_PREFIX_AT = 128
_REFUSED: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF picture"),
    (0, b"BM", "a BMP picture"),
    (0, b"II*\0", "a TIFF picture"),
    (0, b"MM\0*", "a TIFF picture"),
    (0, b"II+\0", "a TIFF picture"),
    (0, b"MM\0+", "a TIFF picture"),
    (8, b"WEBP", "a WebP picture"),
    (4, b"ftyp", "a HEIC, AVIF or MP4 file"),
    (0, b"\0\0\0\x0cjP  ", "a bare JPEG 2000 file"),
    (0, b"\xff\x4f\xff\x51", "a bare JPEG 2000 stream"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\3\4", "a ZIP archive or an office document"),
    (0, b"PK\5\6", "an empty ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\x93NUMPY", "a NumPy array"),
    (344, b"n+1\0", "a NIfTI volume"),
    (344, b"ni1\0", "a NIfTI volume"),
)
_REMEDY = "PNG, JPEG and DICOM are read. Export the radiograph as one of these."


def sniff(data: bytes) -> FileKind:
    """Name the kind of file; raises ImageError that says what it looks like instead."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data[_DICOM_PREFIX_AT : _DICOM_PREFIX_AT + 4] == b"DICM":
        return "dicom"
    for offset, signature, name in _REFUSED:
        if data[offset : offset + len(signature)] == signature:
            raise ImageError(f"The file is {name}. {_REMEDY}")
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise ImageError(f"The file is a web page. {_REMEDY}")
    if b"<svg" in start:
        raise ImageError(f"The file is an SVG drawing. {_REMEDY}")
    if start.startswith(b"<"):
        raise ImageError(f"The file is a markup document. {_REMEDY}")
    if re.fullmatch(rb"[\t\r\n\x20-\x7e]+", data[:1024]):
        raise ImageError(f"The file is text. {_REMEDY}")
    raise ImageError(
        "The file is not a PNG, JPEG or DICOM file (a DICOM file has the letters DICM after its "
        f"first 128 bytes). It may be damaged. {_REMEDY}"
    )
