"""Files that a page with an upload box meets sooner or later, made by code.

Every kind must end in an ImageError with advice, in bounded time and memory. The browser tests
upload the same files.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image

from tests.imaging.dicom_files import (
    dataset_for,
    encapsulated,
    file_bytes,
    jpeg_stream,
    native,
    raw_element,
    raw_file,
    sample_picture,
)

EXPLICIT, JPEG_BASELINE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"
JPEG_2000, RLE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
SQUARE = sample_picture(64, 64, 12)
SQUARE_8 = sample_picture(64, 64, 8)


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
    yield "png whose content inflates to 512 MB", _png(64, 64, _zeros(2**29))
    runs = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 500_000
    yield "run lengths of 64 megapixels", encapsulated(runs, SQUARE_8, RLE)


def _saved(kind: str, size: tuple[int, int] = (64, 64), **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (90, 90, 90)).save(buffer, kind, **options)
    return buffer.getvalue()


def _noise(kind: str) -> bytes:
    buffer = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    Image.fromarray(values).save(buffer, kind)
    return buffer.getvalue()


def _png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", rows)
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _zeros(count: int, wbits: int = 15) -> bytes:
    """Many zeros, deflated, made in no time: one block, fully flushed, repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    raw = block * (count // 2**20) + b"\x03\x00"
    if wbits < 0:
        return raw
    checksum = (count % 65_521) << 16 | 1  # Adler-32 of zeros
    return b"\x78\xda" + raw + struct.pack(">I", checksum)


def _png_text_bomb() -> bytes:
    good = _saved("PNG")
    bomb = _chunk(b"zTXt", b"note\0\0" + _zeros(200 * 2**20))
    return good[:33] + bomb * 8 + good[33:]


def _jpeg_with_size(height: int, width: int) -> bytes:
    stream = bytearray(jpeg_stream(SQUARE_8))
    at = stream.index(b"\xff\xc0") + 5
    stream[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(stream)


def _jpeg_of_many_scans() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (4000, 4000)).save(buffer, "JPEG", progressive=True)
    stream = buffer.getvalue()
    last = stream.rindex(b"\xff\xda")
    return stream[:-2] + stream[last:-2] * 5000 + b"\xff\xd9"


def _jpeg_with_more(more: bytes) -> bytes:
    stream = jpeg_stream(SQUARE_8)
    return stream[:2] + more + stream[2:]


def _png_with_more(more: bytes) -> bytes:
    good = _saved("PNG")
    return good[:33] + more + good[33:]


def _transparent_png(rows: int, cols: int) -> bytes:
    """Many megapixels of red, green, blue and alpha in a small file, of which a part is missing."""
    return _png(cols, rows, _zeros(rows * (1 + 4 * cols) * 9 // 10), colour=6)


def _animated_png() -> bytes:
    frames = [Image.new("L", (64, 64), value) for value in (10, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("radiograph.png", _saved("PNG"))
    return buffer.getvalue()


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
    return raw_file(b"1.2.840.10008.1.2.1.99", _zeros(2**30, wbits=-15))


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
    return encapsulated(bytes(stream), SQUARE_8, JPEG_2000)


def _syntax_element(uid: bytes) -> bytes:
    return raw_element(2, 0x10, b"UI", uid + b"\0" * (len(uid) % 2))


def _two_syntaxes(second: bytes) -> bytes:
    """The second one is what pydicom would go by."""
    return raw_file(EXPLICIT.encode(), _syntax_element(second) + _dicom_body())


def _short(value: int) -> bytes:
    return struct.pack("<H", value)


_MAKERS: dict[str, Callable[[], bytes]] = {
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
    "gif": lambda: _saved("GIF"),
    "tiff": lambda: _saved("TIFF"),
    "webp": lambda: _saved("WEBP"),
    "bmp": lambda: _saved("BMP"),
    "too large a file": lambda: b"\x89PNG\r\n\x1a\n" + bytes(50 * 2**20),
    "png cut in half": lambda: _noise("PNG")[:30_000],
    "png signature only": lambda: b"\x89PNG\r\n\x1a\n",
    "png with a wrong checksum": lambda: _noise("PNG")[:60_000] + b"\0" + _noise("PNG")[60_001:],
    "png bomb by its header": lambda: _png(60_000, 60_000, _zeros(2**20)),
    "png beyond any size": lambda: _png(2**31 - 1, 2**31 - 1, _zeros(2**20)),
    "png bomb just over the limit": lambda: _png(8000, 5001, _zeros(40 * 2**20)),
    "png without content": lambda: _png(64, 64, b""),
    "png text bomb": _png_text_bomb,
    "png of one pixel": lambda: _png(1, 1, zlib.compress(b"\0\0")),
    "png of one row": lambda: _png(100_000, 1, zlib.compress(bytes(100_001))),
    "png strip": lambda: _png(2000, 40, zlib.compress(bytes(2001 * 40))),
    "animated png": _animated_png,
    "jpeg cut in half": lambda: _noise("JPEG")[:20_000],
    "jpeg signature only": lambda: b"\xff\xd8\xff\xe0",
    "jpeg bomb by its header": lambda: _jpeg_with_size(65_500, 65_500),
    "jpeg of thousands of scans": _jpeg_of_many_scans,
    "jpeg of many exif segments": lambda: _jpeg_with_more(
        (b"\xff\xe1\0\x28Exif\0\0" + bytes(32)) * 100_000
    ),
    "jpeg of millions of markers": lambda: _jpeg_with_more(b"\xff\x01" * 10_000_000),
    "jpeg of fill": lambda: _jpeg_with_more(b"\xff" * 20_000_000),
    "jpeg closed by hand": lambda: _noise("JPEG")[:20_000] + b"\xff\xd9",
    "png of a million chunks": lambda: _png_with_more(_chunk(b"IDAT", b"") * 1_000_000),
    "png of many texts": lambda: _png_with_more(_chunk(b"tEXt", b"key\0word") * 100_000),
    "png of 40 transparent megapixels": lambda: _transparent_png(6000, 6600),
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
    "dicom jpeg 2000 garbage": lambda: encapsulated(b"\xff\x4f\xff\x51no", SQUARE_8, JPEG_2000),
    "dicom rle garbage": lambda: encapsulated(b"\xff" * 100, SQUARE_8, RLE),
    "dicom jpeg of other size": lambda: encapsulated(
        jpeg_stream(sample_picture(128, 96, 8)), SQUARE_8, JPEG_BASELINE
    ),
    "dicom jpeg bomb": lambda: encapsulated(
        _jpeg_with_size(65_500, 65_500), SQUARE_8, JPEG_BASELINE
    ),
    "dicom lossless jpeg bomb": lambda: encapsulated(
        _jpeg_with_size(65_500, 65_500).replace(b"\xff\xc0", b"\xff\xc3"), SQUARE_8, JPEG_LOSSLESS
    ),
    "dicom jpeg 2000 bomb": _jpeg_2000_of_other_size,
    "dicom native data said to be jpeg": lambda: raw_file(JPEG_BASELINE.encode(), _dicom_body()),
    "dicom deep sequences": _deep_sequences,
    "dicom of half a million elements": _many_elements,
}
