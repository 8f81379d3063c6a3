"""A box against a map, where every number is known by hand."""

import numpy as np
import pytest

from medgemma_dash.metrics.box_scores import MEASURES, box_scores, displaced_cells


def box(grid, top, left, bottom, right):
    mask = np.zeros(grid, np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_a_box_around_all_of_the_map_scores_full_and_beats_every_other_place():
    image = np.zeros((8, 8), np.float32)
    image[5:7, 1:3] = 2.0
    scores = {one.measure: one for one in box_scores(image, image > 0)}
    assert tuple(scores) == MEASURES
    assert [one.value for one in scores.values()] == [1.0, 1.0, 1.0]
    assert [one.below for one in list(scores.values())[1:]] == [1.0, 1.0]
    # The box with one cell around it is 4 x 4 of 64; the box alone 2 x 2.
    assert [one.uniform for one in scores.values()] == [16 / 64, 4 / 64, 4 / 64]


@pytest.mark.parametrize(
    ("chosen", "count"),
    [
        (box((4, 4), 0, 0, 1, 1), 15),  # every other cell
        (box((4, 4), 0, 0, 2, 2), 5),  # of nine places those two rows or two columns away
        (box((4, 4), 0, 0, 4, 2), 1),
        (box((4, 5), 0, 1, 4, 3), 1),  # at the right edge; at the left one half is shared
        (box((4, 4), 0, 1, 4, 3), 2),  # none is apart; both of these share half
        (box((4, 4), 0, 0, 4, 3), 0),
        (np.eye(4, dtype=np.bool_), 0),
        (np.zeros((4, 4), np.bool_), 0),
    ],
)
def test_displaced_cells_keep_their_shape_and_share_as_little_as_they_can(chosen, count):
    copies = displaced_cells(chosen)
    assert len(copies) == count
    assert len({copy.tobytes() for copy in copies}) == count
    for copy in copies:
        assert copy.sum() == chosen.sum()
        assert (copy & chosen).sum() <= chosen.sum() / 2


def test_energy_elsewhere_is_the_mean_over_the_other_places():
    image = np.arange(16, dtype=np.float32).reshape(4, 4)
    chosen = box((4, 4), 3, 3, 4, 4)
    energy = box_scores(image, chosen)[1]
    assert energy.value == pytest.approx(15 / 120)
    assert energy.displaced == pytest.approx(7 / 120)
    assert (energy.low, energy.high) == (0.0, pytest.approx(14 / 120))
    assert energy.below == 1.0
    assert box_scores(image, box((4, 4), 0, 0, 1, 1))[1].below == 0.0


def test_maps_and_boxes_without_a_control_say_so():
    signed = np.full((4, 4), -1.0, np.float32)
    assert np.isnan(box_scores(signed, box((4, 4), 0, 0, 1, 1))[1].value)
    large = box_scores(np.ones((4, 4), np.float32), box((4, 4), 0, 0, 4, 3))
    assert all(np.isnan(one.displaced) and one.value == one.uniform for one in large)
    with pytest.raises(ValueError, match="empty"):
        box_scores(signed, np.zeros((4, 4), np.bool_))
