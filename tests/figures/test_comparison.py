"""Maps side by side, zone bars, pairs and heads: what the figures promise apart from a browser."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.figures import (
    MapPanel,
    comparison_figure,
    head_figure,
    pair_figure,
    zone_figure,
)
from medgemma_dash.figures.map_traces import POINTS_A_CELL

GRID = (16, 16)


def jpeg(side: int = 420) -> bytes:
    shades = np.random.default_rng(0).integers(0, 255, (side // 6, side // 6), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(shades).resize((side, side)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


JPEG = jpeg()


def panel(title: str, value: float = 0.01, *, width: int = 800, **options) -> MapPanel:
    image_map = np.zeros(GRID, np.float32)
    image_map[3, 4], image_map[10, 11] = value, value / 4
    grid = options.pop("grid", GRID)
    return MapPanel(title, JPEG, width, 900, grid, options.pop("image_map", image_map), **options)


def heatmaps(figure) -> list:
    return [trace for trace in figure.data if trace.type == "heatmap"]


def test_maps_of_one_size_zoom_together_and_others_apart():
    figure = comparison_figure(
        [panel("a"), panel("b"), panel("c", width=500), panel("d", width=500)]
    )
    layout = figure.layout
    assert (layout.xaxis.matches, layout.xaxis2.matches) == (None, "x")
    assert (layout.yaxis2.matches, layout.yaxis3.matches) == ("y", None)
    assert (layout.xaxis4.matches, layout.yaxis4.matches) == ("x3", "y3")
    assert layout.xaxis3.range == (0, 500)


def test_a_kept_zoom_is_that_of_every_radiograph_of_the_first_ones_size():
    panels = [panel("a"), panel("b", width=500), panel("c")]
    layout = comparison_figure(panels, view=(100.0, 300.0, 450.0, 250.0)).layout
    assert (layout.xaxis.range, layout.yaxis.range) == ((100, 300), (450, 250))
    assert (layout.xaxis3.range, layout.yaxis3.range) == ((100, 300), (450, 250))
    assert (layout.xaxis2.range, layout.yaxis2.range) == ((0, 500), (900, 0))


def test_own_scales_show_raw_values_to_each_maps_peak():
    figure = comparison_figure([panel("a", 0.01), panel("b", 5.0)], scale="per panel")
    assert [trace.zmax for trace in heatmaps(figure)] == pytest.approx([0.01, 5.0])
    assert heatmaps(figure)[1].z.max() == pytest.approx(5.0)


# Of the finer points that a smooth map is drawn with, each cell's own.
CENTRES = (slice(POINTS_A_CELL // 2, None, POINTS_A_CELL),) * 2


def test_one_scale_shows_shares_of_each_map():
    figure = comparison_figure([panel("a", 0.01), panel("b", 5.0)], scale="shared")
    first, second = heatmaps(figure)
    np.testing.assert_allclose(first.z, second.z)
    assert first.z[CENTRES].sum() == pytest.approx(1)
    assert first.zmax == second.zmax == pytest.approx(0.8)
    assert "shares of each map's relevance" in [a.text for a in figure.layout.annotations]


def test_signed_maps_are_symmetric_and_get_a_bar_of_their_own():
    signed = panel("s", signed=True, image_map=-panel("x").image_map)
    figure = comparison_figure([panel("a"), signed])
    assert heatmaps(figure)[1].zmin == -heatmaps(figure)[1].zmax
    bars = [t for t in figure.data if t.type == "scatter" and t.marker.showscale]
    assert len(bars) == 2
    assert {bar.marker.colorbar.len for bar in bars} == {0.47}


def test_a_panel_without_a_map_says_so_and_the_others_show():
    figure = comparison_figure([panel("a"), panel("b", image_map=None, reason="no <b>map</b>")])
    assert len(heatmaps(figure)) == 1
    texts = [str(one.text) for one in figure.layout.annotations]
    assert "no &lt;b&gt;map&lt;/b&gt;" in texts


def told(trace, cell: int) -> str:
    """A cell's hover text, as Plotly makes it of template and data."""
    known = {f"customdata[{i}]": str(value) for i, value in enumerate(trace.customdata[cell])}
    known["hovertext"] = trace.hovertext[cell]
    return re.sub(r"%\{([^}]*)\}", lambda name: known[name[1]], trace.hovertemplate)


def test_hover_tells_every_maps_value_unless_it_is_not_linked():
    panels = [panel("first"), panel("second", 2.0)]
    linked = told(comparison_figure(panels).data[1], 3 * 16 + 4)
    assert linked.startswith("row 3, column 4 (from 0)<br>")
    assert "<b>first: 0.0100, 100% of peak</b>" in linked
    assert "<br>second: 2.00, 100% of peak" in linked
    own = told(comparison_figure(panels, linked_hover=False).data[1], 3 * 16 + 4)
    assert "first" in own
    assert "second" not in own


def test_on_one_scale_peaks_and_hover_tell_the_shares_that_the_colours_are():
    figure = comparison_figure([panel("a", 0.01), panel("b", 5.0)], scale="shared")
    labels = " ".join(str(one.text) for one in figure.layout.annotations)
    assert re.findall(r"peak [^<]*", labels)[:2] == ["peak 80.0%", "peak 80.0%"]
    linked = told(figure.data[1], 3 * 16 + 4)
    assert "<b>a: 80.0% (0.0100 raw)</b>" in linked
    assert "<br>b: 80.0% (5.00 raw)" in linked


def test_hover_tells_the_zone_and_reads_no_template_out_of_a_title():
    zones = [["Right <upper>"] * 16] * 16
    named = comparison_figure([panel("a %{x} <b>", zone_names=zones)])
    text = told(named.data[1], 17)
    assert text.startswith("row 1, column 1 (from 0) · Right &lt;upper&gt;<br>")
    assert "a %(x) &lt;b&gt;: " in text


def test_every_panel_tells_its_own_radiographs_zone():
    here, there = [["Right upper"] * 16] * 16, [["Left lower"] * 16] * 16
    coarse = panel(
        "c", image_map=np.ones((2, 3), np.float32), grid=(2, 3), zone_names=[["", "x", "y"]] * 2
    )
    figure = comparison_figure(
        [panel("a", zone_names=here), panel("b", zone_names=there), panel("none"), coarse]
    )
    hovers = [trace for trace in figure.data if trace.hovertext is not None]
    assert [trace.hovertext[0] for trace in hovers] == [" · Right upper", " · Left lower", "", ""]
    # What the maps have in a cell is told by all panels of the grid, the zone by each of its own.
    assert told(hovers[1], 0).startswith("row 0, column 0 (from 0) · Left lower<br>a: 0")
    assert list(hovers[3].hovertext) == ["", " · x", " · y"] * 2
    with pytest.raises(ValueError, match="zones do not fit"):
        comparison_figure([panel("a", zone_names=[["x"] * 3] * 2)])


def test_six_maps_stay_under_a_megabyte_and_a_half():
    panels = [panel(f"A method with a long name {i}", laterality="left") for i in range(6)]
    assert len(comparison_figure(panels).to_json()) < 1_500_000


def test_no_panel_and_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        comparison_figure([])
    with pytest.raises(ValueError, match="is not"):
        comparison_figure([panel("a", image_map=np.zeros((4, 4), np.float32))])


def test_zone_bars_stand_side_by_side_with_the_midline_between_the_lungs():
    names = ["Right upper", "Right mid", "Right lower", "Left upper", "Left mid", "Left lower"]
    figure = zone_figure(names, {"Chefer": [0.1] * 6, "Rollout": [0.2] * 6})
    assert [bar.name for bar in figure.data] == ["Chefer", "Rollout"]
    assert figure.layout.shapes[0].x0 == 2.5
    with pytest.raises(ValueError, match="5 shares for 6"):
        zone_figure(names, {"Chefer": [0.1] * 5})


def test_pairs_without_a_number_stay_empty():
    values = np.array([[1.0, np.nan], [np.nan, 1.0]])
    figure = pair_figure(["a", "b"], values, "Pearson", low=-1.0, high=1.0, best=1.0)
    assert [list(row) for row in figure.data[0].text] == [["1.00", ""], ["", "1.00"]]
    with pytest.raises(ValueError, match="for 3 maps"):
        pair_figure(["a", "b", "c"], values, "Pearson", low=-1.0, high=1.0, best=1.0)


def test_pairs_say_in_words_how_alike_they_are():
    values = np.array([[0.0, 0.4], [0.4, 0.0]])
    words = [["nearly identical", "moderately different"], ["moderately different", "the same"]]
    pairs = {"low": 0.0, "high": 0.7, "best": 0.0}
    figure = pair_figure(["a", "b"], values, "Divergence", words=words, **pairs)
    assert list(figure.data[0].customdata[0][1]) == ["0.40", "moderately different"]
    assert figure.data[0].hovertemplate.endswith("%{customdata[1]}<extra></extra>")
    with pytest.raises(ValueError, match="other pairs"):
        pair_figure(["a", "b"], values, "Divergence", words=words[:1], **pairs)


def test_pairs_stand_over_the_band_of_their_controls_and_those_beyond_it_are_bold():
    values = np.array([[0.0, 0.4], [0.4, 0.0]])
    bands = [[None, (0.5, 0.6)], [(0.5, 0.6), None]]
    clear = [[False, True], [True, False]]
    pairs = {"low": 0.0, "high": 0.7, "best": 0.0}
    figure = pair_figure(["a", "b"], values, "Divergence", bands=bands, clear=clear, **pairs)
    numbers, controls = figure.data[1:]
    assert list(numbers.text) == ["0.00", "<b>0.40</b>", "<b>0.40</b>", "0.00"]
    assert list(controls.text) == ["", "0.50 to 0.60", "0.50 to 0.60", ""]
    assert set(numbers.textfont.color) <= {"#000000", "#ffffff"}
    # A number is never written as an end of its band that it differs from.
    near = [[None, (0.4012, 0.5)], [(0.4012, 0.5), None]]
    close = pair_figure(["a", "b"], values, "Divergence", bands=near, clear=clear, **pairs)
    assert close.data[1].text[1] == "<b>0.400</b>"
    assert close.data[2].text[1] == "0.401 to 0.500"
    with pytest.raises(ValueError, match="other pairs"):
        pair_figure(["a", "b"], values, "Divergence", bands=bands[:1], **pairs)


def test_each_small_map_has_its_sides_above_it_and_a_strip_for_the_buttons():
    layout = comparison_figure(
        [panel("a", laterality="left"), panel("b", laterality="right")]
    ).layout
    sides = [one for one in layout.annotations if one.text in ("<b>R</b>", "<b>L</b>")]
    assert [(one.text[3], one.xref, one.x) for one in sides] == [
        ("R", "x domain", 0),
        ("L", "x domain", 1),
        ("L", "x2 domain", 0),
        ("R", "x2 domain", 1),
    ]
    assert {(one.y, one.yanchor) for one in sides} == {(1, "bottom")}
    assert layout.margin.t >= 24


@pytest.mark.parametrize(("room", "lines"), [(960, 1), (420, 2), (90, None)])
def test_a_matrix_says_in_its_cells_what_they_have_room_for(room, lines):
    values = np.full((6, 6), 0.1099)
    figure = pair_figure(
        [f"map {place}" for place in range(6)],
        values,
        "Divergence",
        low=0.0,
        high=1.0,
        best=0.0,
        bands=[[(0.1102, 0.1994)] * 6] * 6,
        room_px=room,
        numbered=True,
    )
    texts = [trace for trace in figure.data if trace.type == "scatter"]
    assert len(texts) == (0 if lines is None else 2)
    cell = (room - 20) / 6
    for trace in texts:
        widest = max(len(part) for one in trace.text for part in one.split("<br>"))
        assert widest * 0.56 * trace.textfont.size < cell
    if lines:
        band = texts[1].text[0]
        assert band == ("0.1102 to 0.1994" if lines == 1 else "0.1102<br>0.1994")


def test_zones_on_a_phone_have_names_in_two_lines_and_bars_of_full_height():
    names = ["Right upper", "Right mid", "Right lower", "Left upper", "Left mid", "Left lower"]
    shares = {f"A method with a long name {place}": [0.1] * 6 for place in range(6)}
    wide, narrow = (zone_figure(names, shares, room_px=room) for room in (960, 288))
    assert wide.layout.xaxis.ticktext[0] == "Right upper"
    assert narrow.layout.xaxis.ticktext[0] == "Right<br>upper"
    plots = [
        one.layout.height - one.layout.margin.t - one.layout.margin.b for one in (wide, narrow)
    ]
    assert plots[0] == plots[1]
    # Six legend entries that do not stand beside each other.
    assert narrow.layout.margin.t >= 6 * 19


def test_a_signed_maps_title_has_the_peak_of_both_signs():
    image = np.zeros(GRID, np.float32)
    image[3, 4], image[10, 11] = -1.09, 0.52
    against, for_, unsigned = (
        panel("m", image_map=one, signed=signed)
        for one, signed in ((image, True), (-image, True), (image.clip(0), False))
    )
    labels = comparison_figure([against, for_, unsigned]).layout.annotations
    peaks = [re.search(r"peak [-\d][^<]*", label.text) for label in labels]
    assert [peak[0] for peak in peaks if peak] == [
        "peak -1.09, for 0.520",
        "peak 1.09, against -0.520",
        "peak 0.520",
    ]


def test_the_peak_of_a_control_has_no_box():
    panels = [panel("a"), panel("Random", mark_peak=False)]
    assert [shape.xref for shape in comparison_figure(panels).layout.shapes] == ["x", "x"]
    assert not comparison_figure(panels[1:]).layout.shapes


def test_the_head_matrix_frames_a_head_and_ends_where_its_cells_do():
    values = np.random.default_rng(0).random((12, 8)).astype(np.float32)
    figure = head_figure(values, [False] * 12, "of something", selected=(2, 3))
    assert np.asarray(figure.data[0].z).shape == (8, 12)
    assert {(one.x0, one.x1, one.y0, one.y1) for one in figure.layout.shapes} == {
        (1.5, 2.5, 2.5, 3.5)
    }
    assert figure.layout.xaxis.range == (-0.5, 11.5)
    assert figure.layout.yaxis.range == (7.5, -0.5)
    with pytest.raises(ValueError, match="layer kinds"):
        head_figure(values, [False] * 3, "of something")
