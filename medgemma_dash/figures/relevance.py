"""The relevance map over its radiograph."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.cells import Cell, cell_boxes, hover_text, side_labels
from medgemma_dash.figures.palette import (
    checked_scale,
    colour_range,
    overlay_stops,
    palette,
    solid_stops,
)
from medgemma_dash.figures.words import number

MapMode = Literal["smooth", "grid"]
View = tuple[float, float, float, float]

BAR_PX = 8
BAR_GAP_PX = 8
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
    if image_map is not None:
        traces.append(_heatmap(cells, image_map, mode, opacity, threshold, scale, signed))
    hover = [
        hover_text(cells, row, col, image_map, zone_names, cell_words)
        for row in range(rows)
        for col in range(cols)
    ]
    traces.append(_markers(cells, hover, image_map, scale, signed))
    figure = go.Figure(traces)
    figure.update_layout(
        _layout(cells, radiograph_jpeg, revision, view, dark, height_px, image_map is not None)
    )
    labels = side_labels(laterality, width)
    if image_map is not None:
        labels += _bar_labels(*colour_range(image_map, signed), signed, dark)
    figure.update_layout(
        annotations=labels,
        shapes=cell_boxes(cells, image_map, signed, selected_cells, mark_peak),
    )
    return figure


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


def _heatmap(
    cells: PatchGrid,
    image_map: Float[np.ndarray, "rows cols"],
    mode: MapMode,
    opacity: float,
    threshold: float,
    scale: str,
    signed: bool,
) -> go.Heatmap:
    low, high = colour_range(image_map, signed)
    return go.Heatmap(
        x=[cells.centre(0, col)[1] for col in range(cells.cols)],
        y=[cells.centre(row, 0)[0] for row in range(cells.rows)],
        z=image_map.astype(np.float32),
        zmin=low,
        zmax=high,
        # Plotly's "best" interpolates bilinearly from cell centres and holds the outermost
        # values up to the borders, as the exported picture does.
        zsmooth="best" if mode == "smooth" else False,
        colorscale=overlay_stops(scale, signed, threshold),
        opacity=opacity,
        showscale=False,
        hoverinfo="skip",
    )


def _markers(
    cells: PatchGrid,
    hover: list[str],
    image_map: Float[np.ndarray, "rows cols"] | None,
    scale: str,
    signed: bool,
) -> go.Scatter:
    """An invisible marker a cell: it answers hover and click, which a heatmap cannot.

    Plotly passes heatmap clicks to nobody, and the topmost point alone gets hover: so both
    belong to this trace. It also carries the colour bar, in solid colours.
    """
    places = [(row, col) for row in range(cells.rows) for col in range(cells.cols)]
    centres = [cells.centre(row, col) for row, col in places]
    marker: dict[str, Any] = {"symbol": "square", "size": 6, "opacity": 0}
    if image_map is not None:
        low, high = colour_range(image_map, signed)
        marker |= {
            "color": [low, high] + [low] * (len(places) - 2),
            "cmin": low,
            "cmax": high,
            "colorscale": solid_stops(scale),
            "showscale": True,
            "colorbar": _colour_bar(),
        }
    return go.Scatter(
        x=[x for _, x in centres],
        y=[y for y, _ in centres],
        mode="markers",
        marker=marker,
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        # Plain lists: a typed array would reach Python as a mapping from index to value.
        customdata=[list(place) for place in places],
        hovertext=hover,
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


def _colour_bar() -> dict[str, Any]:
    return {
        "orientation": "h",
        "thickness": BAR_PX,
        "len": 1,
        "x": 0.5,
        "y": 0,
        "yanchor": "top",
        "xpad": 0,
        "ypad": BAR_GAP_PX,
        "outlinewidth": 0,
        "ticks": "",
        "showticklabels": False,
    }


def _bar_labels(low: float, high: float, signed: bool, dark: bool) -> list[dict[str, Any]]:
    """Both ends in words. Tick labels would be hidden: they reach past the figure's edges."""
    ends = (
        [(0.0, "left", f"{number(low)} against"), (1.0, "right", f"{number(high)} for")]
        if signed
        else [(0.0, "left", "0"), (1.0, "right", f"{number(high)} relevance, raw")]
    )
    if signed:
        ends.insert(1, (0.5, "center", "0"))
    return [
        {
            "text": text,
            "xref": "paper",
            "yref": "paper",
            "x": place,
            "y": 0,
            "xanchor": anchor,
            "yanchor": "top",
            "yshift": -(BAR_GAP_PX + BAR_PX + 1),
            "showarrow": False,
            "font": {"size": 12, "color": palette(dark).muted},
        }
        for place, anchor, text in ends
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
    colours = palette(dark)
    left, right, bottom, top = view or (0, cells.width, cells.height, 0)
    axis = {"visible": False, "showgrid": False, "zeroline": False, "constrain": "domain"}
    return {
        "template": "none",
        "height": height_px,
        "margin": {"l": 0, "r": 0, "t": 0, "b": BELOW_PX if with_bar else 0, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "images": [
            {
                "source": "data:image/jpeg;base64," + b64encode(radiograph_jpeg).decode(),
                "xref": "x",
                "yref": "y",
                "x": 0,
                "y": 0,
                "sizex": cells.width,
                "sizey": cells.height,
                "sizing": "stretch",
                "layer": "below",
            }
        ],
        "xaxis": axis | {"range": [left, right]},
        # Pixel rows count downwards.
        "yaxis": axis
        | {
            "range": [bottom, top],
            "scaleanchor": "x",
            "scaleratio": 1,
            # In a figure that is too tall the picture stays next to its colour bar.
            "constraintoward": "bottom",
        },
        # A slip of the mouse should not move the radiograph out of its frame, as panning would;
        # a false value would not do, since Streamlit turns that into panning.
        "dragmode": "zoom",
        "clickmode": "event+select",
        "hovermode": "closest",
        # Without a limit, so that a corner of a zoomed cell still finds its marker.
        "hoverdistance": -1,
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
            "align": "left",
        },
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": colours.muted,
            "activecolor": colours.accent,
        },
        "showlegend": False,
        "uirevision": revision,
    }
