"""What a switch leaves out of a picture, and that no number of a figure changes with it."""

import numpy as np
import pytest

from medgemma_dash.figures import MapPanel, comparison_figure, switched_map

MAP = np.arange(16, dtype=np.float32).reshape(4, 4)
FILM = (b"jpeg", 40, 40, (4, 4))


def test_each_switch_does_what_it_says_and_leaves_the_raw_map_alone() -> None:
    raw = MAP.copy()
    inner = switched_map(MAP, border=True)
    np.testing.assert_array_equal(inner[1:3, 1:3], MAP[1:3, 1:3])
    assert inner.sum() == MAP[1:3, 1:3].sum()
    half = np.full((4, 4), 0.5)
    np.testing.assert_array_equal(switched_map(MAP, coverage=half), MAP / 2)
    # The median of 1 to 15, the zero left out.
    np.testing.assert_array_equal(switched_map(MAP, percentile=50.0), MAP.clip(0, 8))
    np.testing.assert_array_equal(switched_map(-MAP, percentile=50.0), -MAP.clip(0, 8))
    np.testing.assert_array_equal(switched_map(MAP), raw)
    np.testing.assert_array_equal(MAP, raw)


def test_a_map_in_one_cell_stays_where_it_is_and_an_empty_one_empty() -> None:
    one = np.zeros((4, 4), np.float32)
    assert not switched_map(one, percentile=98.0, border=True).any()
    one[2, 2] = 3
    np.testing.assert_array_equal(switched_map(one, percentile=98.0), one)


@pytest.mark.parametrize("scale", ["shared", "per panel"])
def test_what_is_drawn_in_a_maps_place_changes_colours_and_no_number(scale: str) -> None:
    drawn = switched_map(MAP, border=True)
    raw, switched = (
        comparison_figure([MapPanel("a", *FILM, MAP, drawn=one)], scale=scale, mode="grid")
        for one in (None, drawn)
    )
    mass = MAP.sum() if scale == "shared" else 1
    np.testing.assert_allclose(raw.data[0].z, MAP / mass, rtol=1e-6)
    np.testing.assert_allclose(switched.data[0].z, drawn / mass, rtol=1e-6)
    assert raw.data[1].customdata.tolist() == switched.data[1].customdata.tolist()
    assert raw.layout.shapes == switched.layout.shapes  # where the raw map's peak is
    told = [[note.text for note in figure.layout.annotations] for figure in (raw, switched)]
    assert told[0][0] == told[1][0]
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        comparison_figure([MapPanel("a", *FILM, MAP, drawn=MAP[:2, :2])])
