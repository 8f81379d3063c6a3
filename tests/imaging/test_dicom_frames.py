"""A DICOM file has one frame, whatever else its pixel data hold."""

import struct

import numpy as np
import pytest

from medgemma_dash.core.errors import ImageError
from tests.imaging.decoding import read, said
from tests.imaging.dicom_files import (
    DEEP,
    EIGHT,
    EXPLICIT,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    RLE,
    compressed,
    dataset_for,
    dataset_of,
    encapsulated,
    file_bytes,
    jpeg_stream,
    native,
    sample_picture,
)
from tests.imaging.lossless_jpeg import encode_lossless_jpeg

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about these files


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
    image = read(file_bytes(dataset, JPEG_LOSSLESS_SV1))
    np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
    assert "more pixel data" in said(image)
    dataset.NumberOfFrames = 2
    dataset.PixelData = item(offsets) + b"".join(parts)
    with pytest.raises(ImageError, match="2 frames"):
        read(file_bytes(dataset, JPEG_LOSSLESS_SV1))
