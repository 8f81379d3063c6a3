"""The colour bar below a map, and what stands under it."""

from typing import Any, Literal

from medgemma_dash.figures.palette import palette, solid_stops

Limits = tuple[float, float]

BAR_PX = 8
BAR_GAP_PX = 8
LINE_PX = 14  # of words under a colour bar
PEAK_CELL = "peak cell"


def colour_bar(
    limits: Limits,
    scale: str,
    bar: dict[str, Any] | None = None,
    axes: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A colour bar in solid colours; the heatmap's own would be as see-through as the heatmap."""
    low, high = limits
    return {
        "type": "scatter",
        "x": [None],
        "y": [None],
        "mode": "markers",
        "marker": {
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": solid_stops(scale),
            "showscale": True,
            "colorbar": horizontal_bar() | (bar or {}),
        },
        "hoverinfo": "skip",
        "showlegend": False,
        **(axes or {}),
    }


def horizontal_bar() -> dict[str, Any]:
    """A thin colour bar below the plot, its ends to be named by annotations.

    Tick labels would be hidden: they reach past the figure's edges.
    """
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


def peak_label(dark: bool, name: str = PEAK_CELL) -> dict[str, Any]:
    """What the white box is, below a colour bar's own words: so narrow is no figure that it would
    stand on them.
    """
    return bar_label(f"□ {name}", 0.0, "left", dark, line=1)


def bar_label(
    text: str,
    place: float,
    anchor: Literal["left", "center", "right"],
    dark: bool,
    *,
    line: int = 0,
) -> dict[str, Any]:
    """Text under a colour bar, at a share of the figure's width. line: 0, or 1 for below that."""
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": place,
        "y": 0,
        "xanchor": anchor,
        "yanchor": "top",
        "yshift": -(BAR_GAP_PX + BAR_PX + 1 + line * LINE_PX),
        "showarrow": False,
        "font": {"size": 12, "color": palette(dark).muted},
    }
