"""What each method puts in each lung zone."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from medgemma_dash.figures.palette import palette, series_looks
from medgemma_dash.figures.words import plain


def zone_figure(
    zone_names: Sequence[str],
    shares: Mapping[str, Sequence[float]],
    dark: bool = True,
    *,
    height_px: int = 260,
) -> go.Figure:
    """Grouped bars: a group for each zone, a bar for each method; the midline is marked.

    zone_names: the patient's right first, then the left, equally many of each.
    shares: for each method's title, the share of its map's mass in every zone, 0 to 1.
    Raises ValueError when a method has not one share for each zone.
    """
    for title, values in shares.items():
        if len(values) != len(zone_names):
            raise ValueError(f"{title} has {len(values)} shares for {len(zone_names)} zones.")
    colours = palette(dark)
    traces = [
        go.Bar(
            name=plain(title, 32),
            x=list(zone_names),
            y=[float(value) for value in values],
            marker={
                "color": colour,
                "line": {"width": 0},
                "cornerradius": 2,
                # On the figure's own ground, so that a pattern is seen in either theme.
                "pattern": {
                    "shape": pattern,
                    "fillmode": "overlay",
                    "fgcolor": colours.background,
                    "fgopacity": 0.75,
                    "size": 5,
                    "solidity": 0.4,
                },
            },
            hovertemplate="%{x}: <b>%{y:.0%}</b><extra>%{fullData.name}</extra>",
        )
        for (title, values), (colour, pattern) in zip(
            shares.items(), series_looks(len(shares), dark), strict=True
        )
    ]
    layout: dict[str, object] = {
        "template": "none",
        "height": height_px,
        "margin": {"l": 40, "r": 4, "t": 30, "b": 24},
        "barmode": "group",
        "bargap": 0.25,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.muted, "size": 12},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemclick": False},
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
        },
        "dragmode": False,
        "xaxis": {"fixedrange": True, "showgrid": False, "linecolor": colours.line, "ticks": ""},
        "yaxis": {
            "fixedrange": True,
            "tickformat": ".0%",
            "rangemode": "tozero",
            "gridcolor": colours.line,
            "zeroline": False,
            "nticks": 4,
        },
        "shapes": [
            {
                "type": "line",
                "x0": len(zone_names) / 2 - 0.5,
                "x1": len(zone_names) / 2 - 0.5,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"color": colours.muted, "width": 1, "dash": "dot"},
            }
        ],
    }
    return go.Figure(traces, layout)
