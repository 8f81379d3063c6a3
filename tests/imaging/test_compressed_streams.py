"""A compressed stream that is not the whole picture is no picture, however sound its file."""

from typing import Any

import numpy as np
import pytest

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.dicom.coverage import check_coverage
from tests.imaging import known_streams
from tests.imaging.dicom_files import compressed, encapsulated, jpeg_stream, sample_picture
from tests.imaging.lossless_jpeg import encode_lossless_jpeg

SMALL_8, SMALL_12 = sample_picture(32, 40, 8), sample_picture(32, 40, 12)
FINE = np.random.default_rng(0).integers(0, 4096, (32, 40)).astype(np.uint16)
BLACK_BELOW = np.where(np.arange(32)[:, None] < 16, SMALL_12, 0).astype(np.uint16)
RLE, BASELINE, LOSSLESS = (
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.70",
)
JPEGLS, JPEG_2000 = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"


def _jpeg_2000(pixels: Any) -> bytes:
    import openjpeg

    return bytes(openjpeg.encode(pixels, codec_format=0))


STREAMS: dict[str, tuple[bytes, Any, str, dict[str, int]]] = {
    "baseline": (jpeg_stream(SMALL_8), SMALL_8, BASELINE, {}),
    "lossless": (encode_lossless_jpeg(SMALL_12, 12), SMALL_12, LOSSLESS, {"bits": 12}),
    "lossless noise": (encode_lossless_jpeg(FINE, 12), FINE, LOSSLESS, {"bits": 12}),
    "lossless black": (encode_lossless_jpeg(BLACK_BELOW, 12), BLACK_BELOW, LOSSLESS, {"bits": 12}),
    "jpeg-ls 8": (known_streams.JPEGLS_8, SMALL_8, JPEGLS, {}),
    "jpeg-ls 12": (known_streams.JPEGLS_12, SMALL_12, JPEGLS, {"bits": 12}),
    "jpeg-ls near": (known_streams.JPEGLS_NEAR_8, SMALL_8, f"{JPEGLS[:-1]}1", {}),
    "jpeg 2000": (_jpeg_2000(SMALL_8), SMALL_8, JPEG_2000, {}),
    "htj2k": (known_streams.HTJ2K_12, SMALL_12, "1.2.840.10008.1.2.4.201", {"bits": 12}),
}


@pytest.mark.parametrize("kind", list(STREAMS))
def test_a_whole_stream_is_read_without_a_word_about_it(kind: str) -> None:
    stream, pixels, syntax, tags = STREAMS[kind]
    found = load_radiograph(encapsulated(stream, pixels, syntax, **tags))
    assert np.abs(found.intensities - pixels).mean() < 2  # quality 95, near-lossless of 3
    assert not any("left over" in warning for warning in found.warnings)


@pytest.mark.parametrize("closed", [b"", b"\xff\xd9"], ids=["open", "closed"])
@pytest.mark.parametrize("part", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("kind", list(STREAMS))
def test_a_stream_that_was_cut_is_refused(kind: str, part: float, closed: bytes) -> None:
    stream, pixels, syntax, tags = STREAMS[kind]
    cut = stream[: int(len(stream) * part)] + closed
    with pytest.raises(ImageError, match="damaged"):
        load_radiograph(encapsulated(cut, pixels, syntax, **tags))


@pytest.mark.parametrize("kind", [kind for kind in STREAMS if not kind.startswith("jpeg 2000")])
def test_zeros_in_the_middle_are_noticed(kind: str) -> None:
    """JPEG 2000 has no way to tell: its blocks carry no checksum, and most decode all the same."""
    stream, pixels, syntax, tags = STREAMS[kind]
    middle = len(stream) * 6 // 10
    zeroed = stream[:middle] + bytes(64) + stream[middle + 64 :]
    try:
        said = load_radiograph(encapsulated(zeroed, pixels, syntax, **tags)).warnings
    except ImageError as error:
        said = (str(error),)
    assert any("damaged" in one for one in said)


@pytest.mark.parametrize("kind", ["lossless", "jpeg-ls 8", "baseline"])
def test_a_stream_without_any_data_is_refused(kind: str) -> None:
    stream, pixels, syntax, tags = STREAMS[kind]
    scan = stream.index(b"\xff\xda")
    header = scan + 2 + int.from_bytes(stream[scan + 2 : scan + 4], "big")
    with pytest.raises(ImageError, match="damaged"):
        load_radiograph(encapsulated(stream[:header] + b"\xff\xd9", pixels, syntax, **tags))


@pytest.mark.parametrize("kind", ["lossless", "jpeg-ls 8", "jpeg-ls 12", "baseline"])
def test_data_left_over_are_said_and_padding_is_not(kind: str) -> None:
    stream = STREAMS[kind][0]
    assert check_coverage(stream) == ()
    assert check_coverage(stream + b"\0") == ()  # to an even length
    assert check_coverage(stream[:-2] + b"\xff\xff\xff\xd9") == ()  # fill before the end
    (notice,) = check_coverage(stream[:-2] + bytes(range(1, 120)) + b"\xff\xd9")
    assert "left over" in notice


@pytest.mark.parametrize("part", [0.3, 0.7, 0.95])
def test_run_lengths_that_were_cut_are_refused(part: float) -> None:
    from pydicom import dcmread
    from pydicom.encaps import get_frame
    from pydicom.filebase import DicomBytesIO

    data = dcmread(DicomBytesIO(compressed(SMALL_8, RLE)))
    stream = get_frame(data.PixelData, 0, number_of_frames=1)
    cut = stream[: int(len(stream) * part) // 2 * 2]
    with pytest.raises(ImageError, match="damaged"):
        load_radiograph(encapsulated(cut, SMALL_8, RLE))
