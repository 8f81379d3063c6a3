"""Which stored bits are pixels, grey or colour, in every encoding."""

import numpy as np
import pytest
from openjpeg.utils import encode_array

from tests.imaging import known_streams
from tests.imaging.decoding import read, said
from tests.imaging.dicom_files import (
    DEEP,
    EIGHT,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    RLE,
    compressed,
    dataset_for,
    dataset_of,
    encapsulated,
    file_bytes,
    native,
    sample_picture,
)
from tests.imaging.lossless_jpeg import encode_lossless_jpeg

MARKED = DEEP.copy()
MARKED[5:9, 5:20] |= 0x1000
MARKED[20:30, 30:40] |= 0x8000

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about these files


def test_missing_samples_of_a_colour_picture_are_three() -> None:
    colours = np.stack([EIGHT, EIGHT[::-1], EIGHT[:, ::-1]], axis=2)
    dataset = dataset_for(colours, PlanarConfiguration=None, SamplesPerPixel=None)
    image = read(file_bytes(dataset))
    np.testing.assert_array_equal(image.picture, colours)
    assert "SamplesPerPixel (3), PlanarConfiguration" in said(image)


def marked_files() -> dict[str, bytes]:
    whole = bytes(
        encode_array(MARKED, bits_stored=16, photometric_interpretation=2, codec_format=0)
    )
    return {
        "native": native(MARKED, bits=12),
        "run lengths": compressed(MARKED, RLE, bits=12),
        "JPEG 2000": encapsulated(whole, MARKED, JPEG_2000_LOSSLESS, bits=12),
        "JPEG 2000, lossy": encapsulated(whole, MARKED, JPEG_2000, bits=12),
        "lossless JPEG": encapsulated(
            encode_lossless_jpeg(MARKED, 16), MARKED, JPEG_LOSSLESS_SV1, bits=12
        ),
    }


def test_bits_above_those_stored_are_no_pixels() -> None:
    plain = read(native(DEEP, bits=12))
    for encoding, data in marked_files().items():
        image = read(data)
        np.testing.assert_array_equal(image.picture, plain.picture, encoding)
        assert image.windows == plain.windows
        assert "bits above are left out" in said(image)


def test_bits_above_those_stored_are_no_pixels_in_jpeg_ls() -> None:
    pixels = sample_picture(32, 40, 12)
    image = read(encapsulated(known_streams.JPEGLS_12, pixels, JPEG_LS, bits=10))
    np.testing.assert_array_equal(image.picture, (pixels & 1023).astype(np.float32))


def test_an_extended_sign_is_nothing_foreign() -> None:
    signed = sample_picture(40, 48, 12, signed=True)
    cut = (signed.view(np.uint16) & 0xFFF).view(np.int16)
    for stored in (signed, cut):
        image = read(native(stored, bits=12))
        np.testing.assert_array_equal(image.picture, signed.astype(np.float32))
        assert "left out" not in said(image)


def test_the_overshoot_of_a_lossy_codec_stays_white() -> None:
    bright = DEEP.copy()
    bright[:4] = 4100
    stream = bytes(
        encode_array(bright, bits_stored=16, photometric_interpretation=2, codec_format=0)
    )
    image = read(encapsulated(stream, bright, JPEG_2000, bits=12))
    np.testing.assert_array_equal(image.picture, np.minimum(bright, 4095).astype(np.float32))


def test_deep_grey_stored_as_colour_is_shown_as_the_grey_that_it_is() -> None:
    image = read(native(np.repeat(DEEP[..., None], 3, axis=2)))
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
    assert image.windows == read(native(DEEP)).windows


def test_compressed_colours_come_by_pixel_whatever_the_file_says() -> None:
    colours = np.stack([EIGHT, EIGHT[::-1], EIGHT[:, ::-1]], axis=2)
    stream = bytes(
        encode_array(colours, bits_stored=8, photometric_interpretation=1, codec_format=0)
    )
    image = read(encapsulated(stream, colours, JPEG_2000_LOSSLESS, PlanarConfiguration=1))
    np.testing.assert_array_equal(image.picture, colours)
    runs = dataset_of(compressed(colours, RLE))
    runs.PlanarConfiguration = 0
    np.testing.assert_array_equal(read(file_bytes(runs, RLE)).picture, colours)
