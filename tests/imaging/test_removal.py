"""Cells taken out of a picture: where, and by what."""

import cv2
import numpy as np
import pytest

from medgemma_dash.imaging.removal import CellRemoval, on_pixels
from medgemma_dash.imaging.spatial_pictures import as_picture, spatial_layouts

PIXELS = np.random.default_rng(0).integers(0, 256, (50, 37, 3), np.uint8)


def test_a_pixel_belongs_to_the_cell_that_holds_its_middle():
    removed = np.zeros((4, 3), bool)
    removed[1, 2] = True
    inside = on_pixels(removed, (50, 37))
    rows, cols = np.nonzero(inside)
    # 50 / 4 = 12.5 and 37 / 3 = 12.33: rows 12.5 to 25, columns 24.67 to 37.
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (12, 24, 25, 36)
    assert inside.sum() == 13 * 12
    every = sum(on_pixels(np.arange(12).reshape(4, 3) == cell, (50, 37)) for cell in range(12))
    assert (every == 1).all()


@pytest.mark.parametrize("how", ["blur", "mean grey", "inpainting"])
def test_only_removed_cells_change_and_without_any_the_picture_is_the_same(how):
    removal = CellRemoval(PIXELS, (4, 3), how)
    assert removal.without(np.zeros((4, 3), bool)) is PIXELS
    removed = np.zeros((4, 3), bool)
    removed[0, 0] = removed[2, 1] = True
    picture, inside = removal.without(removed), on_pixels(removed, (50, 37))
    assert np.array_equal(picture[~inside], PIXELS[~inside])
    assert (picture[inside] != PIXELS[inside]).mean() > 0.9
    whole = removal.without(np.ones((4, 3), bool))
    if how == "blur":
        wanted = cv2.GaussianBlur(PIXELS, (0, 0), 10.0, borderType=cv2.BORDER_REFLECT)
        assert np.array_equal(whole, wanted)
        assert np.array_equal(picture[inside], wanted[inside])
    else:
        # Nothing is left to paint from: mean grey.
        assert (whole == np.rint(PIXELS.mean((0, 1)))).all()


def test_what_is_painted_in_comes_from_around_and_not_from_what_was_removed():
    pixels = np.full((480, 320, 3), 90, np.uint8)
    removed = np.zeros((6, 4), bool)
    removed[2:4, 1:3] = True
    pixels[on_pixels(removed, (480, 320))] = 255
    found = CellRemoval(pixels, (6, 4), "inpainting").without(removed)
    assert np.abs(found.astype(int) - 90).max() <= 2


def test_layouts_betray_every_mirroring_turn_and_transposition():
    layouts = spatial_layouts((16, 16))
    assert set(layouts) == {"split", "quadrants", "circle", "checkerboard"}
    moves = [lambda a, k=k, t=t: np.rot90(a.T if t else a, k) for k in range(4) for t in (0, 1)]
    for move in moves[1:]:
        told = [np.array_equal(one, move(one)) for one in layouts.values()]
        negative = [np.array_equal(~one, move(one)) for one in layouts.values()]
        assert not all(told)
        assert not all(negative)
    picture = as_picture(layouts["circle"])
    assert picture.shape == (224, 224, 3)
    assert np.array_equal(picture[7::14, 7::14, 0] == 255, layouts["circle"])


@pytest.mark.parametrize("grid", [(2, 2), (4, 4), (8, 8), (16, 16)])
def test_every_layout_has_white_and_black_cells(grid):
    for white in spatial_layouts(grid).values():
        assert 0 < white.sum() < white.size
