"""Horizontal bars, one a row: a name in front, a number at the right edge."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.palette import Palette

ROW_HEIGHT_PX = 24


def row_bars(
    values: Sequence[float],
    labels: Sequence[str],
    ends: Sequence[str],
    hover: Sequence[str],
    colours: Palette,
    *,
    reach: tuple[float, float],
    end_px: int = 64,
    bars: Sequence[str] | None = None,
) -> go.Figure:
    """The bars in the order given; labels, ends and hover are texts that Plotly may read.

    ends: what stands at the right edge of each row, in a margin of `end_px`. reach: the axis'
    range. bars: a colour for each, where they are not all the same.
    """
    places = list(range(len(values)))
    trace: dict[str, Any] = {
        "type": "bar",
        "x": list(values),
        "y": places,
        "orientation": "h",
        "width": 0.42,
        "marker": {
            "color": colours.bar if bars is None else list(bars),
            "line": {"width": 0},
            "cornerradius": 2,
        },
        "hovertext": list(hover),
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    layout: dict[str, Any] = {
        "template": "none",
        "height": max(1, len(values)) * ROW_HEIGHT_PX + 8,
        "margin": {"l": 8, "r": end_px, "t": 4, "b": 4, "pad": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": 13},
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text},
            "align": "left",
        },
        "xaxis": {"visible": False, "fixedrange": True, "range": list(reach)},
        "yaxis": {
            "tickvals": places,
            "ticktext": list(labels),
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "range": [len(values) - 0.5, -0.5],
        },
        "annotations": [
            {
                "x": 1,
                "xref": "paper",
                "xanchor": "right",
                "xshift": end_px - 6,
                "y": place,
                "yref": "y",
                "text": text,
                "showarrow": False,
                "font": {"color": colours.muted},
            }
            for place, text in enumerate(ends)
        ],
    }
    return unchecked_figure([trace], layout)
