"""Files that a page with an upload box meets sooner or later, made by code.

Every kind must end in an ImageError with advice, in bounded time and memory. The browser tests
upload the same files.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Iterator

import numpy as np

from tests.imaging.dicom_files import RLE, encapsulated
from tests.imaging.hostile_dicoms import HOSTILE_DICOMS
from tests.imaging.hostile_pictures import HOSTILE_PICTURES, SQUARE_8, png, saved, zeros


def hostile_images() -> Iterator[tuple[str, bytes]]:
    """Yield (kind, bytes) of every hostile file."""
    for kind, make in _MAKERS.items():
        yield kind, make()


def hostile_image(kind: str) -> bytes:
    """The hostile file of one kind."""
    return _MAKERS[kind]()


def hostile_kinds() -> tuple[str, ...]:
    """The names of all kinds."""
    return tuple(_MAKERS)


def surplus_images() -> Iterator[tuple[str, bytes]]:
    """Sound 64 x 64 pictures with far more content than they state; to be read, cheaply."""
    yield "png whose content inflates to 512 MB", png(64, 64, zeros(2**29))
    runs = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 500_000
    yield "run lengths of 64 megapixels", encapsulated(runs, SQUARE_8, RLE)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("radiograph.png", saved("PNG"))
    return buffer.getvalue()


_NO_RADIOGRAPHS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "one byte": lambda: b"\x89",
    "text": lambda: b"This is a letter about a radiograph.\n" * 40,
    "web page": lambda: b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "svg": lambda: b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "pdf": lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n",
    "zip": _zip,
    "program": lambda: b"MZ\x90\0" + bytes(400),
    "elf": lambda: b"\x7fELF\x02\x01\x01" + bytes(400),
    "random bytes": lambda: np.random.default_rng(1).bytes(5000),
    "gif": lambda: saved("GIF"),
    "tiff": lambda: saved("TIFF"),
    "webp": lambda: saved("WEBP"),
    "bmp": lambda: saved("BMP"),
    "too large a file": lambda: b"\x89PNG\r\n\x1a\n" + bytes(50 * 2**20),
}
_MAKERS = _NO_RADIOGRAPHS | HOSTILE_PICTURES | HOSTILE_DICOMS
