"""What the map's figure promises, apart from a browser."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.figures import MAGNITUDE_SCALES, chosen_cells, relevance_figure
from medgemma_dash.figures.cells import side_labels
from medgemma_dash.figures.map_traces import POINTS_A_CELL
from medgemma_dash.figures.palette import DARK, scale_colours

WIDTH, HEIGHT, GRID = 900, 1200, (16, 16)


def jpeg(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    shades = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(shades).resize((width, height)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


JPEG = jpeg()


def peaked(row: int = 10, col: int = 5, value: float = 0.01) -> np.ndarray:
    image_map = np.full(GRID, 0.0004, np.float32)
    image_map[row, col] = value
    return image_map


def figure(image_map: np.ndarray | None = None, **options):
    return relevance_figure(
        JPEG, WIDTH, HEIGHT, GRID, peaked() if image_map is None else image_map, **options
    )


def test_the_heatmap_holds_raw_values_at_cell_centres_in_original_pixels():
    heatmap = figure(mode="grid").data[0]
    np.testing.assert_array_equal(heatmap.z, peaked())
    assert (heatmap.x[0], heatmap.x[-1]) == (WIDTH / 32, WIDTH * 31 / 32)
    assert (heatmap.y[0], heatmap.y[-1]) == (HEIGHT / 32, HEIGHT * 31 / 32)


def test_rows_count_downwards_and_pixels_stay_square():
    layout = figure().layout
    assert layout.yaxis.range == (HEIGHT, 0)
    assert layout.xaxis.range == (0, WIDTH)
    assert (layout.yaxis.scaleanchor, layout.yaxis.scaleratio) == ("x", 1)


def test_a_kept_view_becomes_the_axis_ranges():
    layout = figure(view=(100.0, 400.0, 700.0, 300.0)).layout
    assert layout.xaxis.range == (100, 400)
    assert layout.yaxis.range == (700, 300)


@pytest.mark.parametrize(("boxes", "mode"), [(False, "none"), (True, "markers")])
def test_every_cell_has_a_point_that_says_which_it_is(boxes, mode):
    points = figure(boxes=boxes).data[1]
    assert len(points.x) == 256
    assert list(points.customdata[10 * 16 + 5]) == [10, 5]
    # A box chooses points that are markers only; they take the browser's time.
    assert points.mode == mode


def test_markers_are_invisible_chosen_or_not():
    drawn = figure(boxes=True)
    markers = drawn.data[1]
    assert drawn.layout.dragmode == "select"
    assert markers.marker.opacity == 0
    assert markers.selected.marker.opacity == 0
    assert markers.unselected.marker.opacity == 0


def test_marker_cells_reach_the_browser_as_lists():
    # A typed array would come back through Streamlit as {"0": 10, "1": 5}.
    trace = json.loads(figure().to_json())["data"][1]
    assert trace["customdata"][17] == [1, 1]


def test_hover_names_cell_pixel_value_zone_and_words():
    zones = [["Right lower"] * 16 for _ in range(16)]
    words = [[[] for _ in range(16)] for _ in range(16)]
    words[10][5] = ["lower", " right"]
    text = figure(zone_names=zones, cell_words=words).data[1].hovertext[10 * 16 + 5]
    assert "row 10, column 5 (from 0)" in text
    assert "pixel x 309, y 788" in text
    assert "<b>0.0100</b> · Right lower" in text
    assert "leaned on by <b>lower</b>" in text
    assert "right" in text.split("<br>")[-1]


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=alert(1)>", '<a href="javascript:alert(1)">x</a>', "<b>y</b>"]
)
def test_model_text_in_hover_is_escaped(hostile):
    words = [[[hostile] for _ in range(16)] for _ in range(16)]
    text = figure(cell_words=words).data[1].hovertext[0]
    assert hostile[:8] not in text
    assert "&lt;" in text


def test_signed_maps_are_symmetric_about_zero():
    image_map = peaked()
    image_map[2, 2] = -0.03
    heatmap = figure(image_map, signed=True).data[0]
    assert (heatmap.zmin, heatmap.zmax) == pytest.approx((-0.03, 0.03))


def test_unsigned_maps_start_at_zero():
    heatmap = figure().data[0]
    assert (heatmap.zmin, heatmap.zmax) == (0, pytest.approx(0.01))


def test_a_smooth_map_has_each_cells_own_value_at_its_centre():
    smooth, grid = figure(mode="smooth").data[0], figure(mode="grid").data[0]
    assert (smooth.zsmooth, grid.zsmooth) == ("fast", False)
    middle = POINTS_A_CELL // 2
    np.testing.assert_array_equal(smooth.z[middle::POINTS_A_CELL, middle::POINTS_A_CELL], grid.z)
    np.testing.assert_allclose(smooth.x[middle::POINTS_A_CELL], grid.x)
    np.testing.assert_allclose(smooth.y[middle::POINTS_A_CELL], grid.y)


def test_a_smooth_map_is_linear_between_two_centres_and_held_at_the_borders():
    z = np.asarray(figure(peaked(), mode="smooth").data[0].z)
    between = z[POINTS_A_CELL // 2, POINTS_A_CELL // 2 : POINTS_A_CELL + POINTS_A_CELL // 2 + 1]
    np.testing.assert_allclose(
        between, np.linspace(between[0], between[-1], POINTS_A_CELL + 1), rtol=1e-6
    )
    assert z[0, 0] == z[POINTS_A_CELL // 2, POINTS_A_CELL // 2]


def test_no_map_leaves_radiograph_and_clickable_cells():
    bare = relevance_figure(JPEG, WIDTH, HEIGHT, GRID, None)
    assert [trace.type for trace in bare.data] == ["scatter"]
    assert len(bare.layout.images) == 1
    assert not bare.layout.shapes


def test_a_map_of_zeros_marks_no_peak():
    assert not figure(np.zeros(GRID, np.float32)).layout.shapes


def test_peak_and_selected_cells_are_boxed():
    shapes = figure(selected_cells=[(3, 12)]).layout.shapes
    # Each by a dark line, and a light one on it.
    assert [(shape.x0, shape.y0) for shape in shapes] == [
        *2 * [(5 * WIDTH / 16, 10 * HEIGHT / 16)],
        *2 * [(12 * WIDTH / 16, 3 * HEIGHT / 16)],
    ]


def _luminance(red, green, blue):
    parts = [part / 255 for part in (red, green, blue)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scale", [*MAGNITUDE_SCALES, "RdBu"])
def test_a_box_is_seen_on_every_colour_of_a_scale(scale):
    shapes = figure(selected_cells=[(3, 12)]).layout.shapes
    for pair in (shapes[:2], shapes[2:]):
        assert pair[0].line.width > pair[1].line.width
        lines = [_luminance(*bytes.fromhex(one.line.color[1:])) for one in pair]
        for colour in scale_colours(scale, 64):
            below = _luminance(*colour)
            contrasts = [(max(line, below) + 0.05) / (min(line, below) + 0.05) for line in lines]
            assert max(contrasts) >= 3  # WCAG's least for what is no text


@pytest.mark.parametrize(
    ("laterality", "letters"),
    [("left", ["R", "L"]), ("right", ["L", "R"]), ("unknown", [])],
)
def test_sides_follow_laterality_and_are_never_guessed(laterality, letters):
    labels = side_labels(laterality, size=12, colour="#fff")
    assert [label["text"].strip("<b/>") for label in labels] == letters
    assert [label["x"] for label in labels] == [0, 1][: len(letters)]


def test_sides_stand_outside_of_the_picture_whatever_is_in_sight():
    for view in (None, (100.0, 400.0, 700.0, 300.0)):
        layout = figure(laterality="left", view=view).layout
        sides = [one for one in layout.annotations if one.text in ("<b>R</b>", "<b>L</b>")]
        assert [(one.xref, one.yref) for one in sides] == 2 * [("x domain", "y domain")]
        assert [(one.x, one.y, one.yanchor) for one in sides] == [
            (0, 1, "bottom"),
            (1, 1, "bottom"),
        ]
        # Room for them, and for Plotly's buttons.
        assert layout.margin.t >= 24


def test_the_picture_fills_the_figure_and_its_colour_bar():
    layout = figure(picture_px=600).layout
    inner = layout.height - layout.margin.t - layout.margin.b
    assert (layout.width, inner) == (450, 600)
    assert (layout.margin.l, layout.margin.r) == (0, 0)
    assert figure().data[2].marker.colorbar.len == 1


def test_the_box_of_the_peak_is_named_and_a_control_has_neither():
    def named(drawn):
        return [one.text for one in drawn.layout.annotations if "peak" in one.text]

    assert len(named(figure())) == 1
    control = figure(mark_peak=False)
    assert (named(control), control.layout.shapes) == ([], ())
    assert named(figure(np.zeros(GRID, np.float32))) == []


ZONES = [
    ["Right lower" if row > 9 and 3 <= col < 6 else "" for col in range(16)] for row in range(16)
]


def test_zones_are_drawn_on_demand_along_their_cells_borders():
    assert len(figure(zone_names=ZONES).layout.shapes) == 2  # the peak's
    halo, line, _, peak = figure(zone_names=ZONES, drawn_zones=True).layout.shapes
    assert (halo.type, line.type, peak.type) == ("path", "path", "rect")
    sides = line.path.split("M")[1:]
    # Three cells wide and six high, which is the picture's lower border as well.
    assert len(sides) == 2 * (3 + 6)
    assert (
        f"{3 * WIDTH / 16:g},{10 * HEIGHT / 16:g}L{4 * WIDTH / 16:g},{10 * HEIGHT / 16:g}" in sides
    )
    assert f"{3 * WIDTH / 16:g},{HEIGHT}L{4 * WIDTH / 16:g},{HEIGHT}" in sides


def test_a_chosen_zone_is_lit_whether_all_are_drawn_or_not():
    lit, *_ = figure(zone_names=ZONES, lit_zones=["Right lower"]).layout.shapes
    assert (lit.type, lit.line.color) == ("path", DARK.accent)
    assert len(figure(zone_names=ZONES, lit_zones=["Left lower"]).layout.shapes) == 2
    both = figure(zone_names=ZONES, drawn_zones=True, lit_zones=["Right lower"])
    assert len(both.layout.shapes) == 5


def test_a_map_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="does not fit a 16 x 16 grid"):
        figure(np.zeros((4, 4), np.float32))


def test_not_a_number_is_refused():
    image_map = peaked()
    image_map[0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        figure(image_map)


def test_an_unknown_colour_scale_is_refused_with_the_allowed_ones():
    with pytest.raises(ValueError, match=", ".join(MAGNITUDE_SCALES)):
        figure(colour_scale="Jet")


def test_the_figure_carries_the_jpeg_once_and_little_else():
    # 256 hover texts of 200 bytes, the smooth map's float32 values, and some 20 kB for the rest.
    values = 256 * POINTS_A_CELL**2 * 4 * 4 / 3
    assert len(figure().to_json()) < len(JPEG) * 4 / 3 + 256 * 200 + values + 20_000


def test_clicked_cells_are_read_once_each_and_foreign_points_passed_over():
    points = [{"customdata": [3, 4]}, {"x": 1}, {"customdata": [3, 4]}, {"customdata": [0, 1]}]
    assert chosen_cells(points) == ((3, 4), (0, 1))


@pytest.mark.parametrize("mode", ["grid", "smooth"])
def test_a_map_of_patches_is_drawn_while_cells_are_hovered_over_and_clicked(mode):
    fine = np.random.default_rng(0).random((64, 64)).astype(np.float32)
    drawn, cells = figure(fine=fine, mode=mode), figure(mode=mode)
    np.testing.assert_array_equal(drawn.data[0].z, fine)
    assert (drawn.data[0].x[0], drawn.data[0].y[-1]) == (WIDTH / 128, HEIGHT * 127 / 128)
    assert drawn.data[0].zmax == fine.max()
    assert drawn.data[1] == cells.data[1]
    texts = [one.text for one in drawn.layout.annotations]
    assert any("64 × 64 patches" in text for text in texts)
    assert figure(fine=peaked(), mode=mode) == cells
