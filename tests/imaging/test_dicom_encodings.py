"""Every transfer syntax that is read gives back the pixels that were written."""

import io
import warnings
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from medgemma_dash.imaging import load_radiograph
from tests.imaging import known_streams
from tests.imaging.decoding import read
from tests.imaging.dicom_files import (
    EXPLICIT,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS,
    RLE,
    compressed,
    encapsulated,
    jpeg_stream,
    native,
    sample_picture,
)
from tests.imaging.lossless_jpeg import encode_lossless_jpeg

IMPLICIT, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
JPEG_LOSSLESS, JPEG_LS_NEAR = "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.81"
HTJ2K = ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203")
DEPTHS = [(8, False), (10, False), (12, False), (16, False), (8, True), (12, True), (16, True)]


def assert_intensities_are(data: bytes, pixels: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom remarks on what these files leave out
        image = read(data)
    np.testing.assert_array_equal(image.picture, pixels.astype(np.float32))


@pytest.mark.parametrize(("bits", "signed"), DEPTHS)
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, BIG_ENDIAN])
def test_uncompressed_pixels_come_back_exactly(syntax: str, bits: int, signed: bool) -> None:
    pixels = sample_picture(bits=bits, signed=signed)
    assert_intensities_are(native(pixels, syntax, bits=bits), pixels)


@pytest.mark.parametrize(("bits", "signed"), DEPTHS)
@pytest.mark.parametrize("syntax", [RLE, JPEG_2000_LOSSLESS])
def test_losslessly_compressed_pixels_come_back_exactly(
    syntax: str, bits: int, signed: bool
) -> None:
    pixels = sample_picture(bits=bits, signed=signed)
    assert_intensities_are(compressed(pixels, syntax, bits=bits), pixels)


@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("predictor", [1, 2, 4, 7])
def test_lossless_jpeg_comes_back_exactly(bits: int, predictor: int) -> None:
    pixels = sample_picture(bits=bits)
    stream = encode_lossless_jpeg(pixels, bits, predictor)
    syntax = JPEG_LOSSLESS_SV1 if predictor == 1 else JPEG_LOSSLESS
    assert_intensities_are(encapsulated(stream, pixels, syntax, bits=bits), pixels)


def test_signed_lossless_jpeg_comes_back_exactly() -> None:
    pixels = sample_picture(bits=16, signed=True)
    stream = encode_lossless_jpeg(pixels.view(np.uint16), 16)
    assert_intensities_are(encapsulated(stream, pixels, JPEG_LOSSLESS_SV1, bits=16), pixels)


@pytest.mark.parametrize(
    ("stream", "bits"), [(known_streams.JPEGLS_8, 8), (known_streams.JPEGLS_12, 12)]
)
def test_jpeg_ls_comes_back_exactly(stream: bytes, bits: int) -> None:
    pixels = sample_picture(32, 40, bits)
    assert_intensities_are(encapsulated(stream, pixels, JPEG_LS, bits=bits), pixels)


def test_near_lossless_jpeg_ls_stays_within_its_bound() -> None:
    pixels = sample_picture(32, 40, 8)
    data = encapsulated(known_streams.JPEGLS_NEAR_8, pixels, JPEG_LS_NEAR)
    difference = load_radiograph(data).intensities - pixels
    assert 0 < np.abs(difference).max() <= 2  # the stream was written with NEAR = 2


@pytest.mark.parametrize("syntax", HTJ2K)
def test_high_throughput_jpeg_2000_comes_back_exactly(syntax: str) -> None:
    pixels = sample_picture(32, 40, 12)
    assert_intensities_are(encapsulated(known_streams.HTJ2K_12, pixels, syntax, bits=12), pixels)


def test_lossy_jpeg_2000_stays_close() -> None:
    pixels = sample_picture(128, 160, bits=12)
    found = load_radiograph(compressed(pixels, JPEG_2000, bits=12))
    # At a ratio of 5 the error of this smooth picture is far below one grey level of 256.
    assert np.abs(found.intensities - pixels).mean() < 2**12 / 256
    assert any("with loss" in warning for warning in found.warnings)


def test_baseline_jpeg_stays_close() -> None:
    pixels = sample_picture(64, 80, bits=8)
    found = load_radiograph(encapsulated(jpeg_stream(pixels), pixels, JPEG_BASELINE))
    assert np.abs(found.intensities - pixels).mean() < 2  # quality 95
    assert any("with loss" in warning for warning in found.warnings)


def test_extended_twelve_bit_jpeg_is_read() -> None:
    dataset = pydicom.dcmread(get_testdata_file("JPGExtended.dcm", download=False))
    dataset.Modality = "CR"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    found = load_radiograph(buffer.getvalue())
    np.testing.assert_array_equal(found.intensities, dataset.pixel_array)
    assert found.intensities.max() > 255
    assert dict(found.tags)["Transfer syntax"] == "JPEG Extended"


_GREY = sample_picture(40, 48, 8)
COLOURS = np.stack([_GREY, _GREY[::-1], _GREY[:, ::-1]], axis=2)


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_comes_back_exactly(planar: int) -> None:
    stored = COLOURS.transpose(2, 0, 1).tobytes() if planar else COLOURS.tobytes()
    data = native(COLOURS, PlanarConfiguration=planar, PixelData=stored)
    np.testing.assert_array_equal(load_radiograph(data).pixels, COLOURS)


def test_rgb_run_lengths_come_back_exactly() -> None:
    np.testing.assert_array_equal(load_radiograph(compressed(COLOURS, RLE)).pixels, COLOURS)


@pytest.mark.parametrize("unit", [257, 16])  # a film of 16 bits, and one of 12 in 16
def test_deep_rgb_is_shown_from_its_darkest_to_its_brightest(unit: int) -> None:
    found = load_radiograph(native(COLOURS.astype(np.uint16) * unit)).pixels
    low, high = int(COLOURS.min()), int(COLOURS.max())
    np.testing.assert_array_equal(found, np.rint((COLOURS - low) * (255 / (high - low))))


def test_ybr_is_turned_into_rgb() -> None:
    grey = np.full((40, 48, 3), 128, np.uint8)
    grey[..., 0] = sample_picture(40, 48, 8)  # no chroma: the luminance is each colour's value
    data = native(grey, PhotometricInterpretation="YBR_FULL")
    np.testing.assert_array_equal(load_radiograph(data).pixels, np.repeat(grey[..., :1], 3, axis=2))


def test_colour_jpeg_is_read_as_rgb() -> None:
    colours = np.repeat(np.repeat(COLOURS, 2, axis=0), 2, axis=1)
    data = encapsulated(
        jpeg_stream(colours), colours, JPEG_BASELINE, PhotometricInterpretation="YBR_FULL_422"
    )
    found = load_radiograph(data).pixels.astype(int)
    assert np.abs(found - colours).mean() < 8  # chroma is subsampled
