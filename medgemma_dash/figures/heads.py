"""Layers and heads: a matrix to choose from."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.core.numbers import share_percent
from medgemma_dash.figures.cells import Cell, framed
from medgemma_dash.figures.palette import palette, solid_stops

CELL_PX = 20


def head_figure(
    values: Float[np.ndarray, "layers heads"],
    is_global: Sequence[bool],
    measure: str,
    *,
    selected: Cell | None = None,
    dark: bool = True,
    cell_px: int = CELL_PX,
) -> go.Figure:
    """One cell for each layer (across) and head (down); global layers are named.

    values: shares from 0 to 1. measure: what they are, for the hover text.
    selected: (layer, head), framed. cell_px: height of a cell. The axes end where the cells do.
    Raises ValueError when layers and values differ in number.
    """
    layers, heads = values.shape
    if len(is_global) != layers:
        raise ValueError(f"{layers} layers of values, but {len(is_global)} layer kinds.")
    colours = palette(dark)
    most = max(float(values.max(initial=0.0)), 1e-9)
    places = [(layer, head) for layer in range(layers) for head in range(heads)]
    kinds = ["global" if one else "sliding window" for one in is_global]
    traces = [
        go.Heatmap(
            z=values.T.astype(float),
            colorscale=solid_stops("Cividis"),
            zmin=0,
            zmax=most,
            colorbar={
                "thickness": 8,
                "outlinewidth": 0,
                "ticks": "",
                "tickvals": [0, most / 2, most],
                "ticktext": [share_percent(value) for value in (0.0, most / 2, most)],
                "tickfont": {"color": colours.muted, "size": 11},
                "xpad": 6,
                "ypad": 0,
            },
            xgap=1,
            ygap=1,
            hoverinfo="skip",
        ),
        go.Scatter(
            x=[layer for layer, _ in places],
            y=[head for _, head in places],
            mode="markers",
            marker={"symbol": "square", "size": cell_px, "opacity": 0},
            selected={"marker": {"opacity": 0}},
            unselected={"marker": {"opacity": 0}},
            customdata=[list(place) for place in places],
            hovertext=[
                f"layer {layer} · {kinds[layer]} · head {head}<br>"
                f"<b>{share_percent(float(values[layer, head]))}</b> {measure}"
                for layer, head in places
            ],
            hovertemplate="%{hovertext}<extra></extra>",
            showlegend=False,
        ),
    ]
    marked = [index for index in range(layers) if is_global[index]]
    layout: dict[str, object] = {
        "template": "none",
        # Above is room for half of the bar's uppermost number, which Plotly hides otherwise.
        "height": cell_px * heads + 46,
        "margin": {"l": 36, "r": 52, "t": 10, "b": 34},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.muted, "size": 11},
        "dragmode": False,
        "hovermode": "closest",
        "hoverdistance": -1,
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
            "align": "left",
        },
        "xaxis": {
            "tickvals": sorted({0, layers - 1, *marked}),
            "range": [-0.5, layers - 0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
            "title": {"text": "layer", "standoff": 4},
        },
        "yaxis": {
            "tickvals": list(range(heads)),
            "range": [heads - 0.5, -0.5],
            "ticksuffix": " ",
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
            "title": {"text": "head", "standoff": 4},
        },
        "shapes": [] if selected is None else framed([_box(selected)]),
    }
    return go.Figure(traces, layout)


def _box(cell: Cell) -> dict[str, float]:
    layer, head = cell
    return {"x0": layer - 0.5, "x1": layer + 0.5, "y0": head - 0.5, "y1": head + 0.5}
