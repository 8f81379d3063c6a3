"""The picture to download."""

import tracemalloc

import numpy as np
import pytest

from medgemma_dash.figures import overlay_picture
from medgemma_dash.figures.overlay import stretched
from medgemma_dash.figures.palette import colour_range, coverage, scale_colours

GREY = np.full((320, 480, 3), 90, np.uint8)


def peaked() -> np.ndarray:
    image_map = np.zeros((16, 16), np.float32)
    image_map[10, 5] = 0.01
    return image_map


def test_the_radiograph_shows_unchanged_where_there_is_no_relevance():
    picture = overlay_picture(GREY, peaked())
    np.testing.assert_array_equal(picture[:100, :], GREY[:100, :])


def test_the_peak_is_painted_in_the_scale_s_last_colour_at_the_given_opacity():
    picture = overlay_picture(GREY, peaked(), mode="grid", opacity=1.0)
    assert picture[210, 165].tolist() == [252, 255, 164]


def test_a_strip_with_legend_and_notices_stands_below():
    plain = overlay_picture(GREY, peaked())
    noted = overlay_picture(GREY, peaked(), notices=["Demo model · not MedGemma"])
    assert plain.dtype == np.uint8
    assert plain.shape[0] > GREY.shape[0]
    assert noted.shape[0] > plain.shape[0]
    assert plain.shape[1] == GREY.shape[1]


def test_small_radiographs_get_a_strip_wide_enough_to_read():
    small = np.zeros((64, 64, 3), np.uint8)
    assert overlay_picture(small, peaked()).shape[1] == 480


def test_grid_mode_fills_whole_cells():
    filled = stretched(peaked(), 320, 480, "grid")
    assert (filled[200:220, 150:180] == np.float32(0.01)).all()
    assert np.count_nonzero(filled) == 20 * 30


def test_smooth_mode_meets_the_values_at_cell_centres_and_holds_the_borders():
    image_map = np.random.default_rng(0).random((4, 6)).astype(np.float32)
    smooth = stretched(image_map, 4 * 11, 6 * 11, "smooth")
    # 11 pixels a cell, so that pixel 5 lies at its centre.
    np.testing.assert_allclose(smooth[5::11, 5::11], image_map, rtol=1e-5)
    np.testing.assert_allclose(smooth[0, 0], image_map[0, 0], rtol=1e-6)


def test_the_threshold_leaves_weak_cells_alone():
    image_map = peaked()
    image_map[2, 2] = 0.002
    picture = overlay_picture(GREY, image_map, mode="grid", threshold=0.5)
    np.testing.assert_array_equal(picture[:180, :], GREY[:180, :])


@pytest.mark.parametrize("laterality", ["left", "right"])
def test_sides_are_drawn_when_known(laterality):
    corner = overlay_picture(GREY, peaked(), laterality=laterality)[:40, :40]
    assert (corner != 90).any()


def test_unknown_sides_are_not_drawn():
    corner = overlay_picture(GREY, peaked(), laterality="unknown")[:40, :40]
    assert (corner == 90).all()


def test_the_input_is_not_written_to():
    before = GREY.copy()
    overlay_picture(GREY, peaked(), laterality="left", selected_cells=[(1, 1)])
    np.testing.assert_array_equal(GREY, before)


def painted_at_once(pixels, image_map, mode, opacity, threshold, signed):
    """The whole picture in one expression, as the formula says."""
    low, high = colour_range(image_map, signed)
    fraction = ((stretched(image_map, *pixels.shape[:2], mode) - low) / (high - low)).clip(0, 1)
    colours = scale_colours("RdBu" if signed else "Inferno", 256)[
        np.rint(fraction * 255).astype(int)
    ]
    magnitude = np.abs(2 * fraction - 1) if signed else fraction
    share = (opacity * coverage(magnitude, threshold)).astype(np.float32)[..., None]
    return np.rint(pixels * (1 - share) + colours * share).astype(np.uint8)


@pytest.mark.parametrize("mode", ["smooth", "grid"])
@pytest.mark.parametrize("signed", [False, True])
def test_painting_in_bands_gives_every_pixel_what_painting_at_once_does(mode, signed):
    random = np.random.default_rng(1)
    pixels = random.integers(0, 256, (1301, 901, 3), np.uint8)  # five bands, the last one short
    image_map = random.standard_normal((16, 16)).astype(np.float32)
    if not signed:
        image_map = image_map.clip(0)
    picture = overlay_picture(
        pixels, image_map, mode=mode, opacity=0.7, threshold=0.2, signed=signed
    )
    expected = painted_at_once(pixels, image_map, mode, 0.7, 0.2, signed)
    np.testing.assert_array_equal(picture[: len(pixels)], expected)


def test_a_large_film_takes_little_more_memory_than_the_picture_itself():
    pixels = np.zeros((4000, 3000, 3), np.uint8)
    tracemalloc.start()
    try:
        picture = overlay_picture(pixels, peaked(), laterality="left", selected_cells=[(3, 3)])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * picture.nbytes  # at once it is 12 times as much


def test_chosen_cells_are_outlined_from_inside():
    picture = overlay_picture(GREY, np.zeros((16, 16), np.float32), selected_cells=[(2, 3)])
    accent = (picture[:320] == (0xF2, 0xA3, 0x3A)).all(axis=-1)
    outline = np.zeros((320, 480), bool)
    outline[40:60, 90:120] = True
    outline[41:59, 91:119] = False
    np.testing.assert_array_equal(accent, outline)


def test_a_map_of_patches_is_drawn_in_place_of_the_cells_and_named():
    fine = np.zeros((32, 32), np.float32)
    fine[20, 10] = 0.04  # its cell's mean is the peak of `peaked`
    patches = overlay_picture(GREY, peaked(), fine=fine, mode="grid", opacity=1.0)
    cells = overlay_picture(GREY, peaked(), mode="grid", opacity=1.0)
    assert patches[202, 152].tolist() == [252, 255, 164]
    np.testing.assert_array_equal(patches[218, 178], GREY[0, 0])  # of the cell, not of the patch
    assert (patches[320:] != cells[320:]).any()
    same = overlay_picture(GREY, peaked(), fine=peaked(), mode="grid", opacity=1.0)
    np.testing.assert_array_equal(same, cells)
