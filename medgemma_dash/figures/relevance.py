"""The relevance map over its radiograph."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.cells import Cell, cell_boxes, hover_text, side_labels
from medgemma_dash.figures.map_traces import (
    MAP_AXIS,
    View,
    background,
    bar_label,
    cell_markers,
    colour_bar,
    map_heatmap,
    map_layout,
)
from medgemma_dash.figures.palette import checked_scale, colour_range
from medgemma_dash.figures.stretching import MapMode, finest
from medgemma_dash.figures.words import number

BELOW_PX = 40


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
    signed: bool = False,
    laterality: str = "unknown",
    selected_cells: Sequence[Cell] = (),
    mark_peak: bool = True,
    revision: str = "map",
    view: View | None = None,
    dark: bool = True,
    height_px: int = 560,
    fine: Float[np.ndarray, "patch_rows patch_cols"] | None = None,
) -> go.Figure:
    """The raw relevance of every cell, as colour over the radiograph, in original pixels.

    radiograph_jpeg: the radiograph as a JPEG of any size; width and height are the original's.
    image_map: None draws the radiograph alone, still with a clickable cell grid.
    zone_names: (rows, cols) names for the hover text, "" outside every zone.
    cell_words: (rows, cols) lists of the answer words that leaned on a cell, strongest first.
    threshold: share of the peak, 0 to 1, below which nothing is painted.
    colour_scale: one of palette.MAGNITUDE_SCALES; a signed map is always RdBu about 0.
    laterality: the image side of the patient's right; "unknown" draws no R and L.
    view: (left, right, bottom, top) in pixels, to keep a zoom across figures, since Streamlit
        builds a changed figure anew and Plotly's `uirevision` cannot; None shows everything.
    fine: the map before it was pooled to the cells, drawn in its place; hovered over and clicked
        are cells all the same.

    Show it with `st.plotly_chart(figure, theme=None, config=PLOTLY_CONFIG, on_select="rerun",
    selection_mode="points")` and read the click with `chosen_cells`.
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
        limits = colour_range(drawn, signed)
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
    traces.append(cell_markers(cells, hover))
    if limits is not None:
        traces.append(colour_bar(limits, scale))
    labels = side_labels(laterality, width)
    if limits is not None:
        labels += _bar_labels(*limits, signed, dark, patches)
    layout = _layout(cells, radiograph_jpeg, revision, view, dark, height_px, limits is not None)
    layout |= {
        "annotations": labels,
        "shapes": cell_boxes(cells, image_map, signed, selected_cells, mark_peak),
    }
    return go.Figure(traces, layout)


PLOTLY_CONFIG: Mapping[str, Any] = {
    "displaylogo": False,
    "displayModeBar": "hover",
    # "Autoscale" shows the whole radiograph, with a narrow rim that Plotly leaves around markers;
    # "reset" would go back to a kept view.
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "resetScale2d", "toImage"],
    "doubleClick": "autosize",
    "showSendToCloud": False,
    "plotlyServerURL": "",
    # One click selects at once instead of waiting for a second one.
    "doubleClickDelay": 250,
}


def _bar_labels(
    low: float, high: float, signed: bool, dark: bool, patches: str
) -> list[dict[str, Any]]:
    if not signed:
        return [
            bar_label("0", 0.0, "left", dark),
            bar_label(f"{number(high)} relevance, raw{patches}", 1.0, "right", dark),
        ]
    return [
        bar_label(f"{number(low)} against", 0.0, "left", dark),
        bar_label("0", 0.5, "center", dark),
        bar_label(f"{number(high)} for{patches}", 1.0, "right", dark),
    ]


def _layout(
    cells: PatchGrid,
    radiograph_jpeg: bytes,
    revision: str,
    view: View | None,
    dark: bool,
    height_px: int,
    with_bar: bool,
) -> dict[str, Any]:
    left, right, bottom, top = view or (0, cells.width, cells.height, 0)
    return map_layout(dark) | {
        "height": height_px,
        "margin": {"l": 0, "r": 0, "t": 0, "b": BELOW_PX if with_bar else 0, "pad": 0},
        "images": [background(radiograph_jpeg, cells)],
        "xaxis": MAP_AXIS | {"range": [left, right]},
        # Pixel rows count downwards.
        "yaxis": MAP_AXIS
        | {
            "range": [bottom, top],
            "scaleanchor": "x",
            "scaleratio": 1,
            # In a figure that is too tall the picture stays next to its colour bar.
            "constraintoward": "bottom",
        },
        "uirevision": revision,
    }
