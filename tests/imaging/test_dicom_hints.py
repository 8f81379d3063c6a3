"""What is a hint in a DICOM file never refuses it: it is used, or left out with a notice."""

import io
import struct
from typing import Any

import numpy as np
import pydicom
import pytest
from openjpeg.utils import encode_array
from pydicom.dataset import Dataset

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.dicom.decode import DecodedImage, decode_dicom
from medgemma_dash.imaging.dicom.transfer_syntax import read_transfer_syntax
from tests.imaging import known_streams
from tests.imaging.dicom_files import (
    compressed,
    dataset_for,
    encapsulated,
    file_bytes,
    jpeg_stream,
    native,
    raw_element,
    raw_file,
    sample_picture,
)
from tests.imaging.lossless_jpeg import encode_lossless_jpeg

EXPLICIT, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
JPEG_BASELINE, JPEG_LOSSLESS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"
JPEG_LS, J2K, J2K_LOSSY = (f"1.2.840.10008.1.2.4.{n}" for n in (80, 90, 91))
DEEP, EIGHT = sample_picture(40, 48, 12), sample_picture(40, 48, 8)
MARKED = DEEP.copy()
MARKED[5:9, 5:20] |= 0x1000
MARKED[20:30, 30:40] |= 0x8000

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about these files


def read(data: bytes) -> DecodedImage:
    """In this process, because starting one for each of many files takes long."""
    return decode_dicom(data, read_transfer_syntax(data))


def said(image: DecodedImage) -> str:
    return " ".join(image.warnings)


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
@pytest.mark.parametrize("syntax", [EXPLICIT, RLE, J2K])
def test_what_has_one_usual_value_gets_it(keyword: str, notice: str, syntax: str) -> None:
    data = native(DEEP) if syntax == EXPLICIT else compressed(DEEP, syntax)
    dataset = dataset_of(data)
    delattr(dataset, keyword)
    image = read(file_bytes(dataset, syntax))
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
    assert notice in said(image)
    assert bool(notice) == ("assumed as usual" in said(image))


def dataset_of(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def test_missing_samples_of_a_colour_picture_are_three() -> None:
    colours = np.stack([EIGHT, EIGHT[::-1], EIGHT[:, ::-1]], axis=2)
    dataset = dataset_for(colours, PlanarConfiguration=None, SamplesPerPixel=None)
    image = read(file_bytes(dataset))
    np.testing.assert_array_equal(image.picture, colours)
    assert "SamplesPerPixel (3), PlanarConfiguration" in said(image)


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated"])
def test_what_the_pixels_cannot_be_read_without_is_asked_for(keyword: str) -> None:
    with pytest.raises(ImageError, match=f"does not state its {keyword}"):
        read(native(DEEP, bits=12, **{keyword: None}))


def marked_files() -> dict[str, bytes]:
    whole = bytes(
        encode_array(MARKED, bits_stored=16, photometric_interpretation=2, codec_format=0)
    )
    return {
        "native": native(MARKED, bits=12),
        "run lengths": compressed(MARKED, RLE, bits=12),
        "JPEG 2000": encapsulated(whole, MARKED, J2K, bits=12),
        "JPEG 2000, lossy": encapsulated(whole, MARKED, J2K_LOSSY, bits=12),
        "lossless JPEG": encapsulated(
            encode_lossless_jpeg(MARKED, 16), MARKED, JPEG_LOSSLESS, bits=12
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
    image = read(encapsulated(stream, bright, J2K_LOSSY, bits=12))
    np.testing.assert_array_equal(image.picture, np.minimum(bright, 4095).astype(np.float32))


def table(entries: Any, count: int, bits: int, kind: str = "US") -> list[Dataset]:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [count, 0, bits])
    item.add_new("LUTData", kind, entries)
    return [item]


CURVE = np.round(60_000 * (np.arange(4096) / 4095) ** 2).astype(np.uint16)


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("bits", [10, 0, 255])
def test_a_table_that_misstates_its_bits_has_its_real_range(keyword: str, bits: int) -> None:
    image = read(native(DEEP, bits=12, **{keyword: table(CURVE.tolist(), 4096, bits)}))
    np.testing.assert_array_equal(image.picture, CURVE[DEEP].astype(np.float32))
    assert "real range" in said(image)
    if keyword == "VOILUTSequence":
        assert image.windows[0].width == 65_536


@pytest.mark.parametrize("kind", ["US", "OW"])
def test_entries_of_eight_bits_are_read_in_pairs(kind: str) -> None:
    entries = (CURVE >> 8).astype(np.uint8)
    packed = entries.tobytes() if kind == "OW" else entries.view("<u2").tolist()
    tables = table(packed, 4096, 8, kind)
    image = read(native(DEEP, bits=12, VOILUTSequence=tables))
    np.testing.assert_array_equal(image.picture, entries[DEEP].astype(np.float32))


@pytest.mark.parametrize("entries", [[1, 2, 3], [7]])
def test_a_table_that_cannot_be_read_is_left_out_and_said(entries: list[int]) -> None:
    display = read(native(DEEP, bits=12, VOILUTSequence=table(entries, 4096, 16)))
    window = {"WindowCenter": 40, "WindowWidth": 4}
    modality = read(native(DEEP, bits=12, ModalityLUTSequence=table(entries, 4096, 16), **window))
    for image in (display, modality):
        np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
        assert [one.name for one in image.windows] == ["Whole range"]
        assert "lookup table" in said(image)
        assert "left out" in said(image)


def test_the_first_readable_table_of_several_is_used() -> None:
    tables = [*table([1], 4096, 16), *table(CURVE.tolist(), 4096, 16)]
    image = read(native(DEEP, bits=12, VOILUTSequence=tables))
    np.testing.assert_array_equal(image.picture, CURVE[DEEP].astype(np.float32))


def test_pixel_data_behind_the_one_frame_are_left_out() -> None:
    odd = sample_picture(41, 47, 8)
    for stored in (odd.tobytes() * 2, odd.tobytes() + bytes(513)):
        image = read(native(odd, PixelData=stored))
        np.testing.assert_array_equal(image.picture, odd.astype(np.float32))
        assert "more pixel data" in said(image)
    assert "more pixel data" not in said(read(native(odd)))


@pytest.mark.parametrize("count", [0, -3, 1, None, 5])
def test_a_count_of_frames_is_believed_as_far_as_there_are_pixels(count: int | None) -> None:
    for syntax in (EXPLICIT, RLE):
        dataset = dataset_of(
            native(DEEP, bits=12) if syntax == EXPLICIT else compressed(DEEP, syntax, bits=12)
        )
        if count is not None:
            dataset.NumberOfFrames = count
        image = read(file_bytes(dataset, syntax))
        np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
        assert (count in (None, 1)) == ("frame" not in said(image))


def item(data: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(data)) + data


@pytest.mark.parametrize("offsets", [(), (0,), (8,), (7777,), (0, 7777), (500, 0)])
@pytest.mark.parametrize("pieces", [1, 3])
def test_all_fragments_are_the_frame_whatever_the_offset_table_says(
    offsets: tuple[int, ...], pieces: int
) -> None:
    stream = jpeg_stream(EIGHT)
    stream += b"\0" * (len(stream) % 2)
    size = len(stream) // pieces // 2 * 2 + 2
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    dataset = dataset_for(EIGHT)
    dataset.PixelData = item(struct.pack(f"<{len(offsets)}I", *offsets)) + b"".join(
        map(item, parts)
    )
    image = read(file_bytes(dataset, JPEG_BASELINE))
    good = read(encapsulated(stream, EIGHT, JPEG_BASELINE))
    np.testing.assert_array_equal(image.picture, good.picture)
    assert (offsets in ((), (0,))) == ("table of frames" not in said(image))


def test_a_true_offset_table_divides_frames() -> None:
    streams = [encode_lossless_jpeg(pixels, 12) for pixels in (DEEP, DEEP[::-1].copy())]
    parts = [item(stream + b"\0" * (len(stream) % 2)) for stream in streams]
    dataset = dataset_for(DEEP, bits=12)
    offsets = struct.pack("<2I", 0, len(parts[0]))
    dataset.PixelData = item(offsets) + b"".join(parts)
    image = read(file_bytes(dataset, JPEG_LOSSLESS))
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
    assert "more pixel data" in said(image)
    dataset.NumberOfFrames = 2
    dataset.PixelData = item(offsets) + b"".join(parts)
    with pytest.raises(ImageError, match="2 frames"):
        read(file_bytes(dataset, JPEG_LOSSLESS))


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


def test_deep_grey_stored_as_colour_is_shown_as_the_grey_that_it_is() -> None:
    image = read(native(np.repeat(DEEP[..., None], 3, axis=2)))
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
    assert image.windows == read(native(DEEP)).windows


def test_compressed_colours_come_by_pixel_whatever_the_file_says() -> None:
    colours = np.stack([EIGHT, EIGHT[::-1], EIGHT[:, ::-1]], axis=2)
    stream = bytes(
        encode_array(colours, bits_stored=8, photometric_interpretation=1, codec_format=0)
    )
    image = read(encapsulated(stream, colours, J2K, PlanarConfiguration=1))
    np.testing.assert_array_equal(image.picture, colours)
    runs = dataset_of(compressed(colours, RLE))
    runs.PlanarConfiguration = 0
    np.testing.assert_array_equal(read(file_bytes(runs, RLE)).picture, colours)
