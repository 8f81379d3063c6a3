"""Deletion and insertion curves over the band of random rankings."""

from collections.abc import Sequence

import plotly.graph_objects as go
from jaxtyping import Float
from numpy import ndarray

from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.palette import palette, series_looks
from medgemma_dash.figures.words import plain

HEIGHT_PX = 260


def removal_curve_figure(
    shares: Float[ndarray, " steps"],
    band: tuple[Float[ndarray, " steps"], Float[ndarray, " steps"], Float[ndarray, " steps"]],
    lines: Sequence[tuple[str, Float[ndarray, " steps"]]],
    axis: str,
    dark: bool = True,
    *,
    marked: float | None = None,
    height_px: int = HEIGHT_PX,
) -> go.Figure:
    """The target's probability against the share of the image.

    band: least, mean and most of random rankings. lines: a title and probabilities, in colour.
    axis: what the share is of. marked: a share that is looked at.
    """
    colours = palette(dark)
    low, mean, high = (one.tolist() for one in band)
    x = shares.tolist()
    traces: list[dict[str, object]] = [
        {"type": "scatter", "x": x, "y": low, "mode": "lines", "line": {"width": 0},
         "hoverinfo": "skip", "showlegend": False},
        {"type": "scatter", "x": x, "y": high, "mode": "lines", "line": {"width": 0},
         "fill": "tonexty", "fillcolor": _faint(colours.muted), "hoverinfo": "skip",
         "name": "random rankings"},
        {"type": "scatter", "x": x, "y": mean, "mode": "lines", "showlegend": False,
         "line": {"color": colours.muted, "width": 1, "dash": "dot"},
         "hovertemplate": "random, mean: p = %{y:.3g}<extra></extra>"},
    ]  # fmt: skip
    looks = series_looks(len(lines), dark)
    for (title, values), (colour, _) in zip(lines, looks, strict=True):
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": values.tolist(),
                "mode": "lines+markers",
                "line": {"color": colour, "width": 2},
                "marker": {"size": 5},
                "name": plain(title),
                "hovertemplate": f"{plain(title)}, %{{x:.0%}}: p = %{{y:.3g}}<extra></extra>",
            }
        )
    axes = {"gridcolor": colours.line, "zeroline": False, "linecolor": colours.line}
    layout: dict[str, object] = {
        "template": "none",
        "height": height_px,
        "margin": {"l": 52, "r": 24, "t": 8, "b": 44},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.muted, "size": 11},
        "legend": {
            "traceorder": "normal",
            "orientation": "h",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 0,
        },
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
        },
        "xaxis": {
            **axes,
            "title": {"text": axis},
            "tickformat": ".0%",
            "range": [0, 1],
            "dtick": 0.2,
        },
        "yaxis": {**axes, "title": {"text": "probability"}, "rangemode": "tozero"},
    }
    if marked is not None:
        line = {"color": colours.accent, "width": 2, "dash": "dot"}
        ends = {"x0": marked, "x1": marked, "y0": 0, "y1": 1, "yref": "paper"}
        layout["shapes"] = [{"type": "line", "line": line, **ends}]
    return unchecked_figure(traces, layout)


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.25)"
