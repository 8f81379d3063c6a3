import numpy as np
import pytest

from medgemma_dash.metrics.controls import blurred_random_maps, centre_map, random_maps
from medgemma_dash.metrics.localisation import (
    auprc,
    energy_inside,
    iou_at,
    iou_best,
    mask_coverage,
    near_mask,
    pointing_hit,
)
from tests.oracles import localisation as oracle

SIZES = [((24, 24), (6, 6)), ((23, 31), (4, 5)), ((7, 9), (16, 16)), ((40, 17), (3, 8))]


def random_mask(size: tuple[int, int], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(size) < 0.04


@pytest.mark.parametrize(("size", "grid"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_metrics_equal_their_pixel_by_pixel_oracles(size, grid, seed):
    mask = random_mask(size, seed)
    image = np.random.default_rng(100 + seed).normal(size=grid).astype(np.float32)

    assert np.array_equal(near_mask(mask, grid), oracle.near_mask(mask, grid))
    assert mask_coverage(mask, grid) == pytest.approx(oracle.mask_coverage(mask, grid), abs=1e-12)
    assert pointing_hit(image, mask) == oracle.pointing_hit(image, mask)
    assert energy_inside(image, mask) == pytest.approx(oracle.energy_inside(image, mask))


@pytest.mark.parametrize(("size", "grid"), [((11, 7), (4, 3)), ((6, 6), (3, 6)), ((5, 4), (5, 5))])
@pytest.mark.parametrize("seed", range(3))
def test_overlap_and_precision_equal_their_point_by_point_oracles(size, grid, seed):
    mask = np.random.default_rng(seed).random(size) < 0.2
    mask[0, 0] = True
    # Few distinct values, so that many cells are equal.
    image = np.random.default_rng(50 + seed).integers(-2, 4, grid).astype(np.float32)
    assert iou_best(image, mask) == pytest.approx(oracle.iou_best(image, mask))
    assert auprc(image, mask) == pytest.approx(oracle.auprc(image, mask))
    half = oracle.iou_at(image, mask, image.max() / 2)
    assert iou_at(image, mask) == pytest.approx(half)


def test_a_map_that_is_the_lesion_overlaps_it_and_a_flat_one_by_its_area():
    mask = np.zeros((16, 16), dtype=bool)
    mask[4:8, :4] = True
    image = mask_coverage(mask, (4, 4)).astype(np.float32)
    flat = np.ones((4, 4), np.float32)
    for metric in (iou_best, iou_at, auprc):
        assert metric(image, mask) == 1
        assert metric(flat, mask) == pytest.approx(mask.mean())
    assert iou_at(-image, mask) == 0


@pytest.mark.parametrize("metric", [iou_best, iou_at, auprc])
def test_without_a_lesion_there_is_nothing_to_overlap(metric):
    with pytest.raises(ValueError, match="mask is empty"):
        metric(np.ones((2, 2), np.float32), np.zeros((4, 4), bool))


def one_pixel(y: int, x: int) -> np.ndarray:
    mask = np.zeros((160, 160), dtype=bool)
    mask[y, x] = True
    return mask


def test_a_peak_hits_up_to_one_cell_from_the_lesion_and_not_beyond():
    image = np.zeros((16, 16), dtype=np.float32)
    image[8, 8] = 1  # the centre of this cell is pixel 85 on both axes
    assert pointing_hit(image, one_pixel(94, 85)) == 1
    assert pointing_hit(image, one_pixel(75, 94)) == 1
    assert pointing_hit(image, one_pixel(95, 85)) == 0
    assert pointing_hit(image, one_pixel(85, 74)) == 0


def test_the_dilation_stops_at_the_border_and_does_not_wrap_around():
    near = near_mask(one_pixel(0, 0), (16, 16))
    assert near[0, 0]
    assert near.sum() == 1


def test_a_map_without_a_peak_scores_what_chance_gives():
    mask = random_mask((32, 32), 5)
    flat = np.ones((8, 8), dtype=np.float32)
    assert pointing_hit(flat, mask) == near_mask(mask, (8, 8)).mean()


def test_all_energy_on_the_lesion_is_one_and_none_is_zero():
    mask = np.zeros((16, 16), dtype=bool)
    mask[:4, :4] = True
    image = np.zeros((4, 4), dtype=np.float32)
    image[0, 0] = 3
    assert energy_inside(image, mask) == 1
    assert energy_inside(image, ~mask) == 0


def test_negative_relevance_is_no_energy():
    mask = np.ones((8, 8), dtype=bool)
    assert energy_inside(np.full((2, 2), -1, dtype=np.float32), mask) is None


def test_masks_cover_their_own_area_whatever_the_grid():
    mask = random_mask((37, 53), 1)
    for grid in [(1, 1), (5, 7), (16, 16), (37, 53)]:
        assert mask_coverage(mask, grid).mean() == pytest.approx(mask.mean())


@pytest.mark.parametrize("metric", [pointing_hit, energy_inside, iou_best, iou_at, auprc])
def test_maps_that_are_not_finite_are_refused(metric):
    image = np.full((2, 2), np.nan, dtype=np.float32)
    with pytest.raises(ValueError, match="not finite"):
        metric(image, np.ones((4, 4), dtype=bool))


def test_the_centre_map_is_symmetric_and_greatest_in_the_middle():
    image = centre_map((16, 16))
    assert image.dtype == np.float32
    assert np.array_equal(image, image[::-1])
    assert np.array_equal(image, image.T)
    assert set(zip(*np.nonzero(image == image.max()), strict=True)) == {
        (7, 7), (7, 8), (8, 7), (8, 8),
    }  # fmt: skip


def test_random_maps_repeat_with_their_seed_and_differ_among_themselves():
    first, again = (random_maps((4, 4), 3, np.random.default_rng(2)) for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])


def test_blurred_random_maps_are_smooth_start_at_zero_and_repeat():
    first, again = (blurred_random_maps((16, 16), 2, np.random.default_rng(2)) for _ in range(2))
    assert np.array_equal(first, again)
    assert (first.min((1, 2)) == 0).all()
    noise = random_maps((16, 16), 1, np.random.default_rng(2))[0]
    steps = [np.abs(np.diff(one)).mean() / np.ptp(one) for one in (first[0], noise)]
    assert steps[0] < steps[1] / 3
