"""A compressed stream that is not the whole picture is no picture, however sound its file."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.core.errors import ImageError
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.dicom.coverage import check_coverage
from medgemma_dash.imaging.dicom.run_lengths import check_run_lengths
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


def _run_lengths(pixels: Any) -> bytes:
    from pydicom import dcmread
    from pydicom.encaps import get_frame

    data = dcmread(io.BytesIO(compressed(pixels, RLE))).PixelData
    return bytes(get_frame(data, 0, number_of_frames=1))


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
    "run lengths": (_run_lengths(SMALL_8), SMALL_8, RLE, {}),
    "run lengths 12": (_run_lengths(SMALL_12), SMALL_12, RLE, {"bits": 12}),
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


@pytest.mark.parametrize("kind", list(STREAMS))
def test_zeros_in_the_middle_are_noticed(kind: str) -> None:
    stream, pixels, syntax, tags = STREAMS[kind]
    middle = len(stream) * 6 // 10
    zeroed = stream[:middle] + bytes(64) + stream[middle + 64 :]
    assert _is_noticed(encapsulated(zeroed, pixels, syntax, **tags))


def _is_noticed(data: bytes) -> bool:
    try:
        said = load_radiograph(data).warnings
    except ImageError as error:
        said = (str(error),)
    return any("damaged" in one for one in said)


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


FILM = synthesize(FIRST_EVALUATION_SEED).pixels
LAYERS = {"quality_layers": [200, 100, 60, 40, 20, 10, 5, 2], "irreversible": True}
PRECINCTS = {"precinct_size": (64, 64), "codeblock_size": (32, 32), "progression": "PCRL"}
TILES = {"tile_size": (128, 128)}
BLACK_HALF = np.where(np.arange(FILM.shape[1]) < FILM.shape[1] // 2, FILM, 0).astype(np.uint8)
DEEP = FILM.astype(np.uint16) * 16
WAYS = [{}, LAYERS, PRECINCTS, TILES, {**LAYERS, **PRECINCTS}]


def _pillows_jpeg_2000(pixels: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG2000", no_jp2=True, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", WAYS, ids=str)
@pytest.mark.parametrize("film", [FILM, BLACK_HALF, DEEP, np.full_like(FILM, 37)])
def test_whole_jpeg_2000_is_not_taken_for_damaged(film: Any, options: dict[str, Any]) -> None:
    # A plain grey film in precincts and layers holds thousands of equal bytes: empty packets.
    assert check_coverage(_pillows_jpeg_2000(film, **options)) == ()


@pytest.mark.parametrize("part", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("hole", [bytes(2000), b"\xff" * 16], ids=["zeros", "ones"])
@pytest.mark.parametrize("options", WAYS[:4], ids=str)
def test_overwritten_jpeg_2000_is_noticed(
    options: dict[str, Any], hole: bytes, part: float
) -> None:
    stream = _pillows_jpeg_2000(FILM, **options)
    start = int(part * len(stream))
    damaged = stream[:start] + hole + stream[start + len(hole) :]
    assert _is_noticed(encapsulated(damaged, FILM, JPEG_2000))


def test_zeros_before_the_end_of_jpeg_2000_are_said() -> None:
    stream = _pillows_jpeg_2000(FILM)
    (notice,) = check_coverage(stream[:-102] + bytes(100) + stream[-2:])
    assert "left over" in notice


def test_run_lengths_must_end_where_the_picture_does() -> None:
    stream = _run_lengths(FILM)
    assert check_run_lengths(stream, FILM.size) == ()
    assert check_run_lengths(stream + bytes(40), FILM.size) == ()  # padding
    (notice,) = check_run_lengths(stream + b"\x05\x07", FILM.size)
    assert "left over" in notice
    longer = stream[:64] + bytes([min(stream[64] + 1, 127)]) + stream[65:]
    assert longer != stream
    with pytest.raises(ImageError, match="damaged"):
        check_run_lengths(longer, FILM.size)
