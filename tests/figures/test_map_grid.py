"""Many maps on one scale, each by its own sum."""

import numpy as np
import pytest

from medgemma_dash.figures import map_grid_figure

MAPS = [np.full((4, 4), 2.0, np.float32), np.eye(4, dtype=np.float32) * 100, np.zeros((4, 4), "f4")]


def test_maps_of_any_unit_share_the_scale_of_their_shares():
    figure = map_grid_figure(MAPS, ["even", "diagonal", "empty"], columns=2)
    even, diagonal, empty = (np.array(trace.z) for trace in figure.data)
    np.testing.assert_allclose(even, 1 / 16)
    np.testing.assert_allclose(diagonal, np.eye(4) / 4)
    assert not empty.any()
    axis = figure.layout.coloraxis
    assert (axis.cmin, axis.cmax) == (0, 0.25)
    assert [note.text for note in figure.layout.annotations] == ["even", "diagonal", "empty"]
    assert figure.layout.yaxis3.domain[1] < figure.layout.yaxis.domain[0]


def test_what_is_negative_shows_where_it_means_something():
    against = [np.array([[1, -3]], np.float32)]
    signed = map_grid_figure(against, ["a"], signed=True)
    np.testing.assert_allclose(signed.data[0].z, [[0.25, -0.75]])
    assert (signed.layout.coloraxis.cmin, signed.layout.coloraxis.cmax) == (-0.75, 0.75)
    np.testing.assert_allclose(map_grid_figure(against, ["a"]).data[0].z, [[1, 0]])


def test_titles_are_shown_and_never_read_as_markup():
    figure = map_grid_figure(MAPS[:1], ["<b>x</b>"])
    assert figure.layout.annotations[0].text == "&lt;b&gt;x&lt;/b&gt;"
    assert "<b>x" not in figure.data[0].hovertemplate
    with pytest.raises(ValueError, match="1 maps and 2 titles"):
        map_grid_figure(MAPS[:1], ["a", "b"])
    with pytest.raises(ValueError, match="0 maps"):
        map_grid_figure([], [])


def test_it_says_how_wide_it_has_to_be_for_its_titles():
    short, long = (map_grid_figure(MAPS, [title] * 3) for title in ("a", "a longer title of a map"))
    assert short.layout.meta["least_px"] < long.layout.meta["least_px"] < 840
