"""PNG and JPEG files: none is read by half, and none is given to a library without a look."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.jpeg import MAX_EXIF_SEGMENTS, MAX_SEGMENTS, MAX_STRAY_BYTES
from medgemma_dash.imaging.png import MAX_DATA_CHUNKS, MAX_OTHER_CHUNKS
from medgemma_dash.imaging.raster import read_jpeg, read_png
from tests.imaging.dicom_files import jpeg_stream, sample_picture
from tests.imaging.known_streams import JPEGLS_8
from tests.imaging.lossless_jpeg import encode_lossless_jpeg
from tests.imaging.png_files import chunk, interlaced_png, png, png_rows

# A square of fine texture, so that compressed data are many and none of them is idle.
FINE = np.random.default_rng(0).integers(0, 256, (96, 96), np.uint8)
FILM = sample_picture(40, 48, 12)
END = b"\xff\xd9"


def progressive(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", progressive=True)
    return buffer.getvalue()


def segment(code: int, content: bytes) -> bytes:
    return bytes((0xFF, code)) + struct.pack(">H", len(content) + 2) + content


def with_segments(*segments: bytes) -> bytes:
    whole = jpeg_stream(FINE)
    return whole[:2] + b"".join(segments) + whole[2:]


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refusals that are to come before a library sees the file."""

    def seen(*_: Any, **__: Any) -> Any:
        raise AssertionError("A library saw the file.")

    monkeypatch.setattr(Image, "open", seen)
    monkeypatch.setattr("cv2.imdecode", seen)


SURPLUS_JPEGS = {
    "exif segments": [segment(0xE1, b"Exif\0\0" + bytes(20))] * (MAX_EXIF_SEGMENTS + 1),
    "comments": [segment(0xFE, b"")] * (MAX_SEGMENTS + 1),
    "markers without content": [b"\xff\x01"] * (MAX_SEGMENTS + 1),
    "fill": [b"\xff" * (MAX_STRAY_BYTES + 1)],
    "rubbish": [b"\0" * (MAX_STRAY_BYTES + 1)],
}


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize("kind", list(SURPLUS_JPEGS))
def test_a_jpeg_of_more_segments_than_any_camera_writes_is_refused_unseen(kind: str) -> None:
    with pytest.raises(ImageError, match="more passes or pieces"):
        read_jpeg(with_segments(*SURPLUS_JPEGS[kind]))


def test_a_jpeg_with_much_about_itself_is_read() -> None:
    profile = [segment(0xE2, b"ICC_PROFILE\0" + bytes((part, 40)) + bytes(9)) for part in range(40)]
    exif = segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0")
    found = read_jpeg(with_segments(exif, *profile, segment(0xFE, b"x" * 60_000)))
    np.testing.assert_array_equal(found.picture, read_jpeg(jpeg_stream(FINE)).picture)


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize(
    "more",
    [chunk(b"tEXt", b"key\0word") * (MAX_OTHER_CHUNKS + 1), chunk(b"IDAT", b"") * MAX_DATA_CHUNKS],
    ids=["texts", "empty data"],
)
def test_a_png_of_more_chunks_than_any_program_writes_is_refused_unseen(more: bytes) -> None:
    with pytest.raises(ImageError, match="more pieces"):
        read_png(png(FINE, more))


@pytest.mark.usefixtures("no_library")
@pytest.mark.parametrize("place", [40, 60, 5000])
def test_a_png_with_a_wrong_checksum_is_refused_unseen(place: int) -> None:
    data = bytearray(png(FINE, chunk(b"tEXt", b"key\0some words and more")))
    data[place] ^= 4
    with pytest.raises(ImageError, match="damaged"):
        read_png(bytes(data))


@pytest.mark.parametrize("samples", [FINE, FILM, np.stack([FINE] * 3, 2), np.stack([FILM] * 4, 2)])
def test_a_png_of_fewer_rows_than_it_states_is_refused(samples: Any) -> None:
    rows = png_rows(samples)
    for part in (0, len(rows) // 2, len(rows) - 1):
        with pytest.raises(ImageError, match="part of the picture is missing"):
            load_radiograph(png(samples, compressed=zlib.compress(rows[:part])))
    whole = zlib.compress(rows)
    with pytest.raises(ImageError, match="missing"):
        load_radiograph(png(samples, compressed=whole[: len(whole) // 2]))


@pytest.mark.parametrize("film", [FINE, FILM, FILM[:33, :35]])
def test_an_interlaced_png_is_the_same_picture(film: Any) -> None:
    found, expected = load_radiograph(interlaced_png(film)), load_radiograph(png(film))
    np.testing.assert_array_equal(found.pixels, expected.pixels)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_a_film_saved_as_sixteen_bit_colours_is_the_film(channels: int) -> None:
    samples = np.stack([FILM] * channels, axis=2)
    if channels in (2, 4):
        samples[..., -1] = 65535
    found, expected = load_radiograph(png(samples)), load_radiograph(png(FILM))
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    np.testing.assert_array_equal(found.intensities, expected.intensities)
    assert (found.windows, found.warnings) == (expected.windows, expected.warnings)


def test_sixteen_bit_colours_are_stretched_by_their_range() -> None:
    samples = np.stack([FILM, FILM[::-1], FILM[:, ::-1]], axis=2)
    found = load_radiograph(png(samples))
    low, high = int(samples.min()), int(samples.max())
    expected = (samples.astype(float) - low) / (high - low) * 255
    assert np.abs(found.pixels - expected).max() <= 0.5 + 1e-9  # rounding
    assert any("8 bits" in warning for warning in found.warnings)


def test_transparent_parts_of_sixteen_bit_colours_are_black() -> None:
    samples = np.stack([FILM, FILM, FILM, np.full_like(FILM, 65535)], axis=2)
    samples[:, :24, 3] = 0
    found = load_radiograph(png(samples))
    assert found.intensities[:, :24].max() == 0
    np.testing.assert_array_equal(found.intensities[:, 24:], FILM[:, 24:])
    assert any("ransparent" in warning for warning in found.warnings)


def test_sixteen_bit_colours_are_turned_as_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
    found = load_radiograph(png(np.stack([FILM] * 3, axis=2), turned))
    np.testing.assert_array_equal(found.intensities, np.rot90(FILM, -1))


@pytest.mark.parametrize("make", [jpeg_stream, progressive], ids=["baseline", "progressive"])
@pytest.mark.parametrize("part", [0.3, 0.9, 0.99])
def test_a_jpeg_that_was_cut_and_closed_by_hand_is_refused(make: Any, part: float) -> None:
    data = make(FINE)
    with pytest.raises(ImageError, match="part of it is missing"):
        load_radiograph(data[: int(len(data) * part)] + END)


@pytest.mark.parametrize("make", [jpeg_stream, progressive], ids=["baseline", "progressive"])
def test_a_jpeg_with_zeros_in_the_middle_is_refused_or_said_to_be_damaged(make: Any) -> None:
    data = bytearray(make(FINE))
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    try:
        said = load_radiograph(bytes(data)).warnings
    except ImageError as error:
        said = (str(error),)
    assert any("damaged" in one for one in said)


def test_a_jpeg_with_data_left_over_says_so() -> None:
    data = jpeg_stream(FINE)
    found = load_radiograph(data[:-2] + bytes(range(1, 200)) + END)
    assert any("left over" in warning for warning in found.warnings)
    assert not any("left over" in warning for warning in load_radiograph(data).warnings)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (encode_lossless_jpeg(FILM, 12), "a lossless JPEG of 12 bits"),
        (JPEGLS_8, "JPEG-LS"),
        (jpeg_stream(FINE).replace(b"\xff\xc0\0\x0b\x08", b"\xff\xc1\0\x0b\x0c"), "of 12 bits"),
        (jpeg_stream(FINE).replace(b"\xff\xc0", b"\xff\xc9"), "arithmetic-coded"),
    ],
    ids=["lossless", "jpeg-ls", "12 bits", "arithmetic"],
)
def test_a_sound_jpeg_of_a_kind_that_is_not_read_is_not_called_damaged(
    data: bytes, name: str
) -> None:
    with pytest.raises(ImageError, match=f"{name}.*, which is not read.*Export"):
        load_radiograph(data)


def test_a_lossless_jpeg_of_eight_bits_is_read() -> None:
    small = sample_picture(40, 48, 8)
    data = encode_lossless_jpeg(small, 8)
    found = load_radiograph(data)
    np.testing.assert_array_equal(found.pixels[..., 0], small)
    assert not any("with loss" in warning for warning in found.warnings)
    with pytest.raises(ImageError, match="missing"):
        load_radiograph(data[: len(data) // 2] + END)
