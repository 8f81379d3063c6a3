"""What is a hint in a DICOM file never refuses it: it is used, or left out with a notice."""

import struct

import numpy as np
import pytest

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Window
from tests.imaging.decoding import read, said
from tests.imaging.dicom_files import (
    DEEP,
    EIGHT,
    EXPLICIT,
    JPEG_2000_LOSSLESS,
    RLE,
    compressed,
    dataset_for,
    dataset_of,
    file_bytes,
    native,
    raw_element,
    raw_file,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about these files


def text_file(**text: bytes) -> bytes:
    """A 12-bit file whose decimal strings are exactly these bytes."""
    numbers = {"x30": 0x30, "x1050": 0x1050, "x1051": 0x1051, "x1052": 0x1052, "x1053": 0x1053}
    whole = {0x2: 1, 0x10: 40, 0x11: 48, 0x100: 16, 0x101: 12, 0x102: 11, 0x103: 0}
    elements = {n: (b"US", struct.pack("<H", value)) for n, value in whole.items()}
    elements[0x4] = b"CS", b"MONOCHROME2 "
    for name, value in text.items():
        elements[numbers[name]] = b"DS", value + b" " * (len(value) % 2)
    body = b"".join(raw_element(0x28, n, *elements[n]) for n in sorted(elements))
    modality = raw_element(8, 0x60, b"CS", b"CR")
    pixels = raw_element(0x7FE0, 0x10, b"OW", DEEP.tobytes())
    return raw_file(EXPLICIT.encode(), modality + body + pixels)


@pytest.mark.parametrize(
    ("centre", "width", "window", "notice"),
    [
        (b"1800.5", b"3000.25", (1800.5, 3000.25), ""),
        (b"1800,5", b"3000,25", (1800.5, 3000.25), "comma"),
        (b"1800.5\\", b"3000.25\\", (1800.5, 3000.25), "left out"),
        (b"\\1800", b"\\3000", (1800.0, 3000.0), "left out"),
        (b"01800\\400", b"3000\\0", (1800.0, 3000.0), "left out"),
        (b"1800\0\0", b"3000\0\0", (1800.0, 3000.0), ""),
        (b"1800", b"", None, "left out"),
        (b"", b"3000", None, "left out"),
        (b"NaN", b"inf", None, "left out"),
        (b"1,800.5", b"3,000.5", None, "left out"),
        (b"100", b"0", None, "left out"),
        (b"1_000", b"2_000", None, "left out"),
    ],
)
def test_a_window_is_read_or_left_out(
    centre: bytes, width: bytes, window: tuple[float, float] | None, notice: str
) -> None:
    image = read(text_file(x1050=centre, x1051=width))
    shown = image.windows[0]
    if window is None:
        assert shown.name == "Whole range"
    else:
        assert (shown.centre, shown.width) == window
    assert notice in said(image)
    assert bool(notice) == ("left out" in said(image) or "comma" in said(image))


def test_an_unknown_window_function_is_shown_straight_and_said() -> None:
    tags = {"WindowCenter": 1800, "WindowWidth": 3000, "VOILUTFunction": "CURVY"}
    image = read(native(DEEP, bits=12, **tags))
    assert image.windows[0] == Window("Window 1", 1800.0, 3000.0)
    assert "VOILUTFunction" in said(image)


def test_spacing_and_rescale_are_read_with_a_comma() -> None:
    image = read(text_file(x30=b"0,143\\0,2", x1052=b"-5,5", x1053=b"2,0"))
    assert image.spacing_mm == (0.143, 0.2)
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32) * 2 - 5.5)
    assert "comma" in said(image)


@pytest.mark.parametrize("spacing", [b"wide", b"0.143", b"0\\0", b"0.1\\0.1\\", b"0.1\\900"])
def test_spacing_that_is_none_is_left_out_and_said(spacing: bytes) -> None:
    image = read(text_file(x30=spacing))
    assert image.spacing_mm is None
    assert "spacing" in said(image)
    assert "spacing" not in said(read(text_file()))


@pytest.mark.parametrize(
    ("keyword", "notice"),
    [
        ("SamplesPerPixel", "SamplesPerPixel (1)"),
        ("BitsStored", "BitsStored (16"),
        ("PixelRepresentation", "PixelRepresentation (unsigned"),
        ("PhotometricInterpretation", "MONOCHROME2"),
        ("HighBit", ""),
    ],
)
@pytest.mark.parametrize("syntax", [EXPLICIT, RLE, JPEG_2000_LOSSLESS])
def test_what_has_one_usual_value_gets_it(keyword: str, notice: str, syntax: str) -> None:
    data = native(DEEP) if syntax == EXPLICIT else compressed(DEEP, syntax)
    dataset = dataset_of(data)
    delattr(dataset, keyword)
    image = read(file_bytes(dataset, syntax))
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
    assert notice in said(image)
    assert bool(notice) == ("assumed as usual" in said(image))


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated"])
def test_what_the_pixels_cannot_be_read_without_is_asked_for(keyword: str) -> None:
    with pytest.raises(ImageError, match=f"does not state its {keyword}"):
        read(native(DEEP, bits=12, **{keyword: None}))


@pytest.mark.parametrize(
    ("photometric", "shape", "contradicts"),
    [
        ("MONOCHROME2", "INVERSE", True),
        ("MONOCHROME1", "IDENTITY", True),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", "INVERSE", False),
        ("MONOCHROME2", "OTHER", False),
    ],
)
def test_a_file_that_contradicts_itself_about_black_and_white_is_said_to(
    photometric: str, shape: str, contradicts: bool
) -> None:
    tags = {"PhotometricInterpretation": photometric, "PresentationLUTShape": shape}
    image = read(native(EIGHT, **tags))
    assert ("contradicts itself" in said(image)) == contradicts
    expected = EIGHT if photometric == "MONOCHROME2" else 255 - EIGHT.astype(int)
    np.testing.assert_array_equal(image.picture, expected)


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ("CHEST", "CHEST"),
        ("Chest", "CHEST"),
        ("CHESTABDOMEN", "CHESTABDOMEN"),
        ("CHESTABDPELVIS", "CHESTABDPELVIS"),
        ("CHEST PA", "CHEST"),
        ("PORT CHEST DOE", "CHEST"),
        ("CHEST 2 VIEWS", "CHEST"),
        ("TORAX", "CHEST"),
        ("LT RIBS", "CHEST"),
        ("LUNG", "LUNG"),
        ("HAND", "other"),
        ("THORACIC SPINE", "other"),
        ("TRIBES", "other"),
    ],
)
def test_whatever_names_the_chest_is_the_chest(part: str, shown: str) -> None:
    image = read(native(EIGHT, BodyPartExamined=part))
    assert dict(image.tags)["Body part"] == shown
    assert ("other than the chest" in said(image)) == (shown == "other")


def test_a_padding_value_that_is_none_is_left_out_and_said() -> None:
    dataset = dataset_for(DEEP, bits=12)
    dataset.add_new("PixelPaddingValue", "LO", "none")
    image = read(file_bytes(dataset))
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
    assert "padding value cannot be read" in said(image)
    flat = read(native(np.full((40, 48), 9, np.uint8), PixelPaddingValue=9))
    assert "whole picture is padding" in said(flat)


def test_a_rescale_that_leaves_few_values_apart_says_so() -> None:
    image = read(native(DEEP, bits=12, RescaleSlope=1, RescaleIntercept=1_000_000_000))
    left = len(np.unique(image.picture))
    assert left < 100
    assert f"that {left} values are left apart" in said(image)
    small = read(native(DEEP, bits=12, RescaleSlope="1e-6", RescaleIntercept=0))
    assert "left apart" not in said(small)
