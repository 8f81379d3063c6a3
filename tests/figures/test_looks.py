"""Series that are told apart, and one scale that one map cannot take for itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash.figures import MapPanel, comparison_figure, zone_figure
from medgemma_dash.figures.colour_bars import LINE_PX
from medgemma_dash.methods import available


@pytest.mark.parametrize("dark", [True, False])
def test_every_method_has_a_look_of_its_own(dark: bool) -> None:
    titles = [spec.title for spec in available()]
    figure = zone_figure(["Right", "Left"], {title: [0.5, 0.5] for title in titles}, dark)
    looks = {(bar.marker.color, bar.marker.pattern.shape) for bar in figure.data}
    assert len(looks) == len(titles) >= 18


def panel(title: str, peak: float) -> MapPanel:
    image_map = np.full((4, 4), 0.01, np.float32)
    image_map[1, 1] = peak
    return MapPanel(title, b"", 40, 40, (4, 4), image_map)


def test_a_clipped_scale_ends_at_the_median_peak() -> None:
    # The last map puts nearly all in one cell.
    panels = [panel("a", 0.02), panel("b", 0.03), panel("c", 9.0)]
    shared = comparison_figure(panels, scale="shared")
    clipped = comparison_figure(panels, scale="clipped")
    assert [t.zmax for t in shared.data if t.type == "heatmap"] == pytest.approx([9 / 9.15] * 3)
    assert [t.zmax for t in clipped.data if t.type == "heatmap"] == pytest.approx([0.03 / 0.18] * 3)
    told = [str(label.text) for label in clipped.layout.annotations]
    assert {"≥ 16.7%", "shares of each map's relevance"} <= set(told)


def test_the_bar_of_one_map_says_its_values_and_that_of_several_says_half() -> None:
    alone = comparison_figure([panel("a", 0.02)])
    assert {"0", "0.0100", "0.0200"} <= {str(label.text) for label in alone.layout.annotations}
    two = comparison_figure([panel("a", 0.02), panel("b", 0.03)])
    told = {str(label.text) for label in two.layout.annotations}
    assert {"0", "half", "each panel's peak"} <= told


@pytest.mark.parametrize("signed", [True, False])
def test_no_words_under_a_colour_bar_stand_on_each_other_however_narrow_it_is(signed: bool) -> None:
    one = replace(panel("a", 0.02), signed=signed)
    figure = comparison_figure([one, panel("b", 0.03)], scale="shared")
    below = [label for label in figure.layout.annotations if label.y == 0]
    lines = {label.yshift: [] for label in below}
    for label in below:
        lines[label.yshift].append((label.xanchor, label.x))
    first, second = sorted(lines, reverse=True)
    assert first - second == LINE_PX
    assert lines[second] == [("right", 1.0), ("left", 0.0)]
    assert -second + LINE_PX <= figure.layout.margin.b


def test_a_pins_long_caption_stays_between_the_sides_of_its_small_map() -> None:
    one = replace(panel("a", 0.02), caption="Is there evidence of pneumonia in this chest?")
    large, small = (comparison_figure([one], panel_px=px).layout.annotations for px in (560, 225))
    assert one.caption in large[0].text
    assert "Is there evidence… · peak 0.0200<" in small[0].text
