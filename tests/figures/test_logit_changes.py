"""Bars of changed logits: their signs, the band behind each, and names that are only text."""

import pytest

from medgemma_dash.figures import logit_changes_figure


@pytest.mark.parametrize("dark", [True, False])
def test_falls_and_rises_differ_in_colour_and_each_bar_has_its_band(dark):
    drawn = logit_changes_figure(
        ["Yes", "<b>no</b>", "."],
        [-4.5, 0.25, -0.001],
        [(-0.5, -0.1, 0.0), None, (0.0, 0.0, 0.001)],
        dark,
        chosen=[0],
    )
    (bars,) = drawn.data
    assert list(bars.x) == [-4.5, 0.25, -0.001]
    fall, rise, small = bars.marker.color
    assert fall == small != rise
    names = drawn.layout.yaxis.ticktext
    assert names[0] == "<b>Yes</b>"
    assert "<b>" not in names[1]
    assert [one.text for one in drawn.layout.annotations] == ["\u22124.50", "+0.25", "0.00"]
    bands = [one for one in drawn.layout.shapes if one.type == "rect"]
    assert [(one.x0, one.x1) for one in bands] == [(-0.5, 0.0), (0.0, 0.001)]
    low, high = drawn.layout.xaxis.range
    assert low < -4.5
    assert high > 0.25


def test_small_changes_look_small():
    drawn = logit_changes_figure(["Yes"], [-0.01], [None])
    low, high = drawn.layout.xaxis.range
    assert high - low >= 0.2
