"""PNG, JPEG and pictures in memory become what a person would see."""

import io
import os
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import apply_window, jpeg_bytes, load_radiograph
from medgemma_dash.imaging.raster import read_jpeg
from tests.imaging.dicom_files import sample_picture

GREY = sample_picture(40, 48, 8)
COLOURS = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def test_grey_png_comes_back_in_three_channels() -> None:
    found = load_radiograph(saved(Image.fromarray(GREY)))
    np.testing.assert_array_equal(found.pixels, np.repeat(GREY[:, :, None], 3, axis=2))
    np.testing.assert_array_equal(apply_window(found.intensities, found.windows[0]), GREY)
    assert found.laterality == "left"
    assert "assumed" in found.laterality.source


def test_colour_is_kept() -> None:
    picture = Image.fromarray(COLOURS)
    np.testing.assert_array_equal(load_radiograph(saved(picture)).pixels, COLOURS)


def test_sixteen_bits_are_scaled_by_their_range_and_not_clipped() -> None:
    deep = sample_picture(40, 48, 12)
    found = load_radiograph(saved(Image.fromarray(deep)))
    np.testing.assert_array_equal(found.intensities, deep)
    assert found.pixels.min() == 0
    assert found.pixels.max() == 255
    low, high = int(deep.min()), int(deep.max())
    expected = np.rint((deep.astype(float) - low) / (high - low) * 255)
    assert np.abs(found.pixels[..., 0] - expected).max() <= 1  # ties round either way
    assert any("8 bits" in warning for warning in found.warnings)


def test_transparency_becomes_black() -> None:
    picture = Image.fromarray(GREY).convert("RGBA")
    picture.putalpha(
        Image.fromarray(
            np.where(np.arange(48) < 24, 0, 255).astype(np.uint8)[None, :].repeat(40, 0)
        )
    )
    found = load_radiograph(saved(picture))
    assert found.pixels[:, :24].max() == 0
    np.testing.assert_array_equal(found.pixels[:, 24:, 0], GREY[:, 24:])
    assert any("ransparent" in warning for warning in found.warnings)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_every_png_mode_is_read(mode: str) -> None:
    found = load_radiograph(saved(Image.fromarray(COLOURS).convert(mode)))
    assert found.pixels.shape == (40, 48, 3)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_jpeg_mode_is_read(mode: str) -> None:
    picture = Image.new("RGB", (64, 64), (200, 60, 60)).convert(mode)
    found = load_radiograph(saved(picture, "JPEG", quality=95)).pixels[32, 32].astype(int)
    expected = np.asarray(picture.convert("RGB"))[32, 32].astype(int)
    assert np.abs(found - expected).max() <= 6  # JPEG at quality 95
    assert found[0] >= found[1]  # an inverted CMYK would be cyan


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = {
        2: GREY[:, ::-1],
        3: GREY[::-1, ::-1],
        4: GREY[::-1],
        5: GREY.T,
        6: np.rot90(GREY, -1),
        7: GREY[::-1, ::-1].T,
        8: np.rot90(GREY, 1),
    }
    found = load_radiograph(saved(Image.fromarray(GREY), exif=exif.tobytes()))
    np.testing.assert_array_equal(found.pixels[..., 0], upright[orientation])
    assert any("EXIF" in warning for warning in found.warnings)


def test_unreadable_exif_is_no_reason_to_refuse() -> None:
    found = load_radiograph(saved(Image.fromarray(GREY), exif=b"Exif\0\0garbage"))
    np.testing.assert_array_equal(found.pixels[..., 0], GREY)


def test_same_bytes_have_the_same_hash_whatever_the_name(tmp_path: Path) -> None:
    data = saved(Image.fromarray(GREY))
    path = tmp_path / "<b>name.dcm"
    path.write_bytes(data)
    assert load_radiograph(path).sha256 == load_radiograph(data).sha256
    assert len(load_radiograph(data).sha256) == 64


def test_picture_in_memory_is_known_by_its_pixels() -> None:
    first, same = Image.fromarray(GREY), Image.fromarray(GREY.copy())
    other = Image.fromarray(GREY[::-1].copy())
    assert load_radiograph(first).sha256 == load_radiograph(same).sha256
    assert load_radiograph(first).sha256 != load_radiograph(other).sha256


def test_blank_picture_is_read_with_a_warning() -> None:
    for value in (0, 90, 255):
        found = load_radiograph(Image.new("L", (64, 64), value))
        assert found.pixels.max() == value
        assert any("nothing to see" in warning for warning in found.warnings)
    assert any("nothing" in w for w in load_radiograph(Image.new("I;16", (64, 64), 7)).warnings)


def test_fractions_are_spread_before_they_are_shown() -> None:
    picture = Image.fromarray((GREY / 255).astype(np.float32))
    found = load_radiograph(picture)
    assert found.pixels.max() == 255
    assert len(np.unique(found.pixels)) > 100


def test_values_that_are_not_numbers_are_refused() -> None:
    values = GREY.astype(np.float32)
    values[3, 3] = np.nan
    with pytest.raises(ImageError, match="not numbers"):
        load_radiograph(Image.fromarray(values))


def test_path_errors_repeat_only_what_was_typed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    cases = {
        "no/such/file.png": "There is no file 'no/such/file.png'",
        str(tmp_path): "is a folder",
        str(tmp_path / "pipe"): "not an ordinary file",
        "nul\0byte.png": "cannot be read",
    }
    for path, message in cases.items():
        with pytest.raises(ImageError, match=message):
            load_radiograph(path)


@pytest.mark.parametrize("filters", ["always", "ignore"])
@pytest.mark.parametrize("limit", [Image.MAX_IMAGE_PIXELS, None])
def test_a_bomb_is_refused_before_decoding_even_where_pillow_only_warns(
    monkeypatch: pytest.MonkeyPatch, filters: str, limit: int | None
) -> None:
    # Pillow warns from 89 megapixels on, and refuses from 179 on.
    bomb = saved(Image.fromarray(GREY), "JPEG").replace(
        struct.pack(">HH", 40, 48), struct.pack(">HH", 9800, 9800)
    )

    def decoded(_: Any) -> None:
        raise AssertionError("A pixel was decoded.")

    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter(filters)  # type: ignore[arg-type]
        with pytest.raises(ImageError, match="9800 x 9800 pixels; the limit is 40 megapixels"):
            read_jpeg(bomb)


def test_jpeg_for_the_screen_keeps_colour_and_shrinks() -> None:
    data = jpeg_bytes(np.ascontiguousarray(COLOURS.repeat(4, 0).repeat(4, 1)), longest_side=96)
    picture = Image.open(io.BytesIO(data))
    assert picture.size == (96, 80)
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 200
    found = np.asarray(Image.open(io.BytesIO(jpeg_bytes(red))))[32, 32].astype(int)
    assert np.abs(found - [200, 0, 0]).max() <= 6  # JPEG at quality 90
