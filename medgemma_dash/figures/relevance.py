"""The relevance map over its radiograph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.core.numbers import number
from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.cells import Cell, cell_boxes, has_peak, hover_text, side_labels
from medgemma_dash.figures.colour_bars import PEAK_CELL, bar_label, colour_bar, peak_label
from medgemma_dash.figures.map_traces import (
    MAP_AXIS,
    TOOLS_PX,
    View,
    background,
    cell_markers,
    map_heatmap,
    map_layout,
)
from medgemma_dash.figures.palette import checked_scale, colour_range, palette
from medgemma_dash.figures.stretching import MapMode, finest
from medgemma_dash.figures.zone_outlines import zone_outlines

# What stands above the picture, its sides and the tools, and the colour bar's room below it.
ABOVE_PX, BELOW_PX = TOOLS_PX, 48


def relevance_figure(
    radiograph_jpeg: bytes,
    width: int,
    height: int,
    grid: tuple[int, int],
    image_map: Float[np.ndarray, "rows cols"] | None,
    *,
    zone_names: Sequence[Sequence[str]] | None = None,
    cell_words: Sequence[Sequence[Sequence[str]]] | None = None,
    mode: MapMode = "smooth",
    opacity: float = 0.75,
    threshold: float = 0.0,
    colour_scale: str = "Inferno",
    scale_peak: float = 0.0,
    signed: bool = False,
    laterality: str = "unknown",
    selected_cells: Sequence[Cell] = (),
    mark_peak: bool = True,
    drawn_zones: bool = False,
    lit_zones: Sequence[str] = (),
    boxes: bool = False,
    lasso: bool = False,
    revision: str = "map",
    view: View | None = None,
    dark: bool = True,
    picture_px: int = 560,
    fine: Float[np.ndarray, "patch_rows patch_cols"] | None = None,
    poles: tuple[str, str] = ("against", "for"),
    peak_name: str = PEAK_CELL,
) -> go.Figure:
    """The raw relevance of every cell, as colour over the radiograph, in original pixels.

    radiograph_jpeg: the radiograph as a JPEG of any size; width and height are the original's.
    image_map: None draws the radiograph alone, still with a clickable cell grid.
    zone_names: (rows, cols) names for the hover text, "" outside every zone. drawn_zones: whether
        their borders are drawn. lit_zones: names of those whose border is drawn in the accent.
    cell_words: (rows, cols) lists of the answer words that leaned on a cell, strongest first.
    boxes: whether a box that is drawn with the mouse chooses cells, in place of zooming. lasso:
        whether that is a line drawn around them, in place of a box.
    threshold: share of the peak, 0 to 1, below which nothing is painted.
    scale_peak: the magnitude that the colours reach to at least, see `MapDisplay`.
    colour_scale: one of palette.MAGNITUDE_SCALES; a signed map is always RdBu about 0.
    laterality: the image side of the patient's right; "unknown" draws no R and L.
    mark_peak: whether a box, which the line below the colour bar names, marks the peak.
    view: (left, right, bottom, top) in pixels, which a figure that is made from nothing is zoomed
        to; None shows everything. While it stands, Plotly's `uirevision` keeps the zoom.
    fine: the map before it was pooled to the cells, drawn in its place; hovered over and clicked
        are cells all the same.
    poles: what the negative and the positive end of a signed map say. peak_name: of the box.
    picture_px: height of the picture alone; it fills the figure's width, and what is laid out
        otherwise keeps ABOVE_PX and BELOW_PX around it.

    A click on a cell is Plotly's `plotly_click`, whose point has (row, column) as its customdata.
    Raises ValueError on a shape or name that does not fit.
    """
    rows, cols = grid
    cells = PatchGrid(rows=rows, cols=cols, height=height, width=width)
    if image_map is not None and image_map.shape != (rows, cols):
        raise ValueError(f"A map of shape {image_map.shape} does not fit a {rows} x {cols} grid.")
    scale = checked_scale(colour_scale, signed)
    traces: list[Any] = []
    limits, patches = None, ""
    if image_map is not None:
        drawn, patches = finest(image_map, fine)
        reach = [np.full((1, 1), scale_peak)] if scale_peak > 0 else []
        limits = colour_range(drawn, signed, reach)
        if limits[1] > colour_range(drawn, signed)[1]:
            patches += ", strongest word"
        traces.append(
            map_heatmap(
                cells,
                drawn,
                limits,
                scale,
                signed=signed,
                mode=mode,
                opacity=opacity,
                threshold=threshold,
            )
        )
    hover = [
        hover_text(cells, row, col, image_map, zone_names, cell_words)
        for row in range(rows)
        for col in range(cols)
    ]
    traces.append(cell_markers(cells, hover, boxes=boxes))
    if limits is not None:
        traces.append(colour_bar(limits, scale))
    labels = side_labels(laterality, size=17, colour=palette(dark).text)
    if limits is not None:
        labels += _bar_labels(*limits, poles if signed else None, dark, patches)
        if mark_peak and has_peak(image_map):
            labels.append(peak_label(dark, peak_name))
    shapes = cell_boxes(cells, image_map, signed, selected_cells, mark_peak)
    if zone_names is not None:
        # Below the boxes, so first.
        shapes[:0] = zone_outlines(cells, zone_names, every=drawn_zones, lit=lit_zones)
    layout = _layout(cells, radiograph_jpeg, revision, view, dark, picture_px)
    layout |= {
        "annotations": labels,
        "shapes": shapes,
        "dragmode": ("lasso" if lasso else "select") if boxes else "zoom",
    }
    return unchecked_figure(traces, layout)


PLOTLY_CONFIG: Mapping[str, Any] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    # "Autoscale" shows the whole radiograph, with a narrow rim that Plotly leaves around markers;
    # "reset" would go back to a kept view.
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "resetScale2d", "toImage"],
    "doubleClick": "autosize",
    "showSendToCloud": False,
    # At the corners of a picture they would take what is meant for it, and push the film aside.
    "showAxisDragHandles": False,
    "plotlyServerURL": "",
    # One click selects at once instead of waiting for a second one.
    "doubleClickDelay": 250,
}


def _bar_labels(
    low: float, high: float, poles: tuple[str, str] | None, dark: bool, patches: str
) -> list[dict[str, Any]]:
    if poles is None:
        return [
            bar_label("0", 0.0, "left", dark),
            bar_label(f"{number(high)} relevance, raw{patches}", 1.0, "right", dark),
        ]
    return [
        bar_label(f"{number(low)} {poles[0]}", 0.0, "left", dark),
        bar_label("0", 0.5, "center", dark),
        bar_label(f"{number(high)} {poles[1]}{patches}", 1.0, "right", dark),
    ]


def _layout(
    cells: PatchGrid,
    radiograph_jpeg: bytes,
    revision: str,
    view: View | None,
    dark: bool,
    picture_px: int,
) -> dict[str, Any]:
    left, right, bottom, top = view or (0, cells.width, cells.height, 0)
    return map_layout(dark) | {
        "height": picture_px + ABOVE_PX + BELOW_PX,
        "width": round(picture_px * cells.width / cells.height),
        "margin": {"l": 0, "r": 0, "t": ABOVE_PX, "b": BELOW_PX, "pad": 0},
        "images": [background(radiograph_jpeg, cells)],
        "xaxis": MAP_AXIS | {"range": [left, right]},
        # Pixel rows count downwards.
        "yaxis": MAP_AXIS
        | {
            "range": [bottom, top],
            "scaleanchor": "x",
            "scaleratio": 1,
            "constraintoward": "top",
        },
        "uirevision": revision,
    }
