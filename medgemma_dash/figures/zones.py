"""What each method puts in each lung zone."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from medgemma_dash.figures.cell_room import DESK_PX, LETTER
from medgemma_dash.figures.palette import palette, series_looks
from medgemma_dash.figures.words import plain

PLOT_PX, LEFT_PX, LINE_PX, GAP_PX = 206, 40, 19, 11
SYMBOL_PX = 48  # of a legend's entry: its colour, and the gaps beside that
TEXT_SIZE, LONGEST_TITLE = 12, 32


def zone_figure(
    zone_names: Sequence[str],
    shares: Mapping[str, Sequence[float]],
    dark: bool = True,
    *,
    room_px: int = DESK_PX,
) -> go.Figure:
    """Grouped bars: a group for each zone, a bar for each method; the midline is marked.

    zone_names: the patient's right first, then the left, equally many of each.
    shares: for each method's title, the share of its map's mass in every zone, 0 to 1.
    room_px: how wide the figure will be at least; the legend's lines and the zones' names, which
        take two lines in a narrow one, add to its height.
    Raises ValueError when a method has not one share for each zone.
    """
    for title, values in shares.items():
        if len(values) != len(zone_names):
            raise ValueError(f"{title} has {len(values)} shares for {len(zone_names)} zones.")
    colours = palette(dark)
    titles = [plain(title, LONGEST_TITLE) for title in shares]
    entry_px = max(map(len, titles), default=0) * LETTER * TEXT_SIZE + SYMBOL_PX
    legend_px = LINE_PX * -(-len(titles) // max(1, int((room_px - LEFT_PX) // entry_px)))
    group_px = (room_px - LEFT_PX) / max(1, len(zone_names))
    broken = max(map(len, zone_names), default=0) * LETTER * TEXT_SIZE > group_px
    below_px = LINE_PX * (max(len(name.split()) for name in zone_names) if broken else 1) + 6
    traces = [
        go.Bar(
            name=plain(title, LONGEST_TITLE),
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
        "height": PLOT_PX + legend_px + GAP_PX + below_px,
        "margin": {"l": LEFT_PX, "r": 4, "t": legend_px + GAP_PX, "b": below_px},
        "barmode": "group",
        "bargap": 0.25,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.muted, "size": TEXT_SIZE},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemclick": False},
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
        },
        "dragmode": False,
        "xaxis": {
            "fixedrange": True,
            "showgrid": False,
            "linecolor": colours.line,
            "ticks": "",
            "tickmode": "array",
            "tickvals": list(zone_names),
            "ticktext": [name.replace(" ", "<br>") if broken else name for name in zone_names],
            "tickangle": 0,
            "automargin": False,
        },
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
