"""Map quality against arithmetic by hand."""

import numpy as np
import pytest
from scipy.stats import entropy

from medgemma_dash.metrics.map_quality import has_sink, map_quality


def one_cell(row: int, col: int, size: int = 16) -> np.ndarray:
    image = np.zeros((size, size), np.float32)
    image[row, col] = 3.0
    return image


def test_a_single_cell_is_as_focused_as_can_be():
    quality = map_quality(one_cell(1, 14))
    assert quality.entropy == 0
    assert quality.peak_ratio == 256
    assert quality.gini == pytest.approx(255 / 256)
    assert (quality.left, quality.right) == (0, 1)
    assert (quality.apical, quality.middle, quality.basal) == (1, 0, 0)
    assert quality.quadrants == (0, 1, 0, 0)
    assert quality.focus == 1
    assert quality.border == 0
    assert (quality.entropy_mark, quality.border_mark, quality.peak_mark) == ("good",) * 3


def test_an_even_map_is_as_diffuse_as_can_be():
    quality = map_quality(np.full((16, 16), 0.2, np.float32))
    assert quality.entropy == pytest.approx(np.log(256))
    assert quality.entropy_share == pytest.approx(1)
    assert quality.gini == pytest.approx(0, abs=1e-12)
    assert quality.peak_ratio == pytest.approx(1)
    assert quality.border == pytest.approx(60 / 256)  # corners once
    assert quality.quadrants == pytest.approx((0.25,) * 4)
    assert (quality.apical, quality.middle, quality.basal) == pytest.approx((1 / 3,) * 3)
    assert quality.focus == pytest.approx(16 / 256)
    assert (quality.entropy_mark, quality.border_mark) == ("poor", "poor")
    assert quality.peak_mark == "acceptable"


def test_negative_values_carry_no_mass():
    image = one_cell(5, 5)
    image[10:] = -9
    assert map_quality(image).entropy == 0


def test_the_body_mask_is_averaged_over_each_cell_before_anything_else():
    image = one_cell(0, 0, size=2)
    body = np.zeros((4, 6), np.bool_)
    body[0, :3] = True  # half of the upper left cell's two rows of three pixels
    assert map_quality(image, body).inside_body == pytest.approx(0.5)
    assert map_quality(image, body).inside_body_mark == "acceptable"
    body[:2, :3] = True
    assert map_quality(image, body).inside_body_mark == "good"
    assert map_quality(image, ~body).inside_body_mark == "poor"


def test_masks_whose_size_is_no_multiple_of_the_grid_keep_their_area():
    generator = np.random.default_rng(0)
    body = generator.random((37, 53)) < 0.5
    even = np.full((16, 16), 1.0, np.float32)
    assert map_quality(even, body).inside_body == pytest.approx(body.mean())


def test_a_map_without_mass_has_no_numbers_and_no_marks():
    quality = map_quality(np.zeros((4, 4), np.float32), np.ones((8, 8), np.bool_))
    assert np.isnan([quality.inside_body, quality.entropy, quality.gini, quality.focus]).all()
    assert quality.inside_body_mark is quality.entropy_mark is quality.peak_mark is None


def test_gini_equals_the_mean_absolute_difference_over_twice_the_mean():
    P = np.random.default_rng(1).random((5, 7))
    wanted = np.abs(P.ravel()[:, None] - P.ravel()).mean() / (2 * P.mean())
    assert map_quality(P.astype(np.float32)).gini == pytest.approx(wanted, rel=1e-6)


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="not finite"):
        map_quality(np.full((2, 2), np.nan, np.float32))


def test_a_sink_is_one_cell_that_is_heavy_in_most_maps():
    even = np.full((16, 16), 1.0, np.float32)
    assert has_sink([one_cell(0, 0), one_cell(0, 0), even])
    assert not has_sink([one_cell(0, 0), one_cell(3, 3), even])
    assert not has_sink([one_cell(0, 0)])


def test_a_sink_need_not_be_the_peak_of_its_maps():
    images = np.full((3, 4, 4), 0.02, np.float32)
    images[:, 0, 0] = 0.3
    for place, image in enumerate(images):
        image[1, place] = 0.4  # another peak in each
    assert has_sink(list(images))
    assert not has_sink([images[0], np.zeros((4, 4), np.float32)])


def test_entropy_equals_scipys():
    image = np.random.default_rng(4).normal(size=(9, 5)).astype(np.float32)
    quality = map_quality(image)
    assert quality.entropy == pytest.approx(entropy(image.clip(0).ravel()), rel=1e-6)
    assert quality.entropy_share == pytest.approx(quality.entropy / np.log(45))


def test_regions_share_a_cell_that_they_cut_by_its_area():
    image = np.zeros((4, 5), np.float32)
    image[1, 2] = 1  # row 1 of 4 lies across a third of the height, column 2 of 5 across a half
    quality = map_quality(image)
    assert (quality.left, quality.right) == pytest.approx((0.5, 0.5))
    assert (quality.apical, quality.middle, quality.basal) == pytest.approx((1 / 3, 2 / 3, 0))
    assert quality.quadrants == pytest.approx((0.5, 0.5, 0, 0))


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (2, 2), (3, 7)])
def test_any_size_has_shares_that_add_up(size):
    quality = map_quality(np.random.default_rng(5).random(size, dtype=np.float32))
    assert quality.left + quality.right == pytest.approx(1)
    assert quality.apical + quality.middle + quality.basal == pytest.approx(1)
    assert sum(quality.quadrants) == pytest.approx(1)
    assert 0 <= quality.border <= 1 + 1e-12
