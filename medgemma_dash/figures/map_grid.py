"""Many maps in rows, cell by cell and without their radiograph, on one scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.figures.palette import SIGNED_SCALE, palette, solid_stops
from medgemma_dash.figures.words import plain

ROW_PX = 840  # of all panels in a row, about
TITLE_PX, GAP_SHARE, BAR_PX = 26, 0.04, 200
LEAST_PX, LETTER_PX, BESIDE_PX = 110, 6.8, 90  # of a panel, a title's letter, and the scale
TITLE_LETTERS = 128  # of all titles in a row


def map_grid_figure(
    maps: Sequence[Float[np.ndarray, "_ _"]],
    titles: Sequence[str],
    *,
    signed: bool = False,
    dark: bool = True,
    columns: int = 4,
) -> go.Figure:
    """The maps in their order; each is divided by the sum of its magnitudes, so that one scale,
    the share of a map's relevance, serves all.

    columns: at most, in a row. A map with nothing in it is left empty. The layout's `least_px` says
    how wide it has to be for its titles. Raises ValueError for no map, or titles that do not pair
    with them.
    """
    if not maps or len(maps) != len(titles):
        raise ValueError(f"{len(maps)} maps and {len(titles)} titles.")
    colours = palette(dark)
    shares = [_share(one if signed else one.clip(0)) for one in maps]
    peak = max(float(np.abs(one).max()) for one in shares) or 1.0
    columns = min(columns, len(maps))
    told = [plain(title, TITLE_LETTERS // max(columns, 4)) for title in titles]
    least_px = columns * max(LEAST_PX, LETTER_PX * max(len(one) for one in told)) + BESIDE_PX
    rows = -(-len(maps) // columns)
    panel_px = ROW_PX // max(columns, 4)
    height = rows * (panel_px + TITLE_PX)
    traces, labels = [], []
    layout: dict[str, Any] = {}
    for place, (share, title) in enumerate(zip(shares, told, strict=True)):
        row, column = divmod(place, columns)
        number = "" if place == 0 else str(place + 1)
        left, right = column / columns, (column + 1 - GAP_SHARE) / columns
        top = 1 - (row * (panel_px + TITLE_PX) + TITLE_PX) / height
        hidden = {"visible": False, "fixedrange": True}
        layout[f"xaxis{number}"] = hidden | {
            "domain": [left, right],
            "anchor": f"y{number}",
            "constrain": "domain",
            "constraintoward": "left",
        }
        layout[f"yaxis{number}"] = hidden | {
            "domain": [max(0.0, top - panel_px / height), top],
            "autorange": "reversed",
            "scaleanchor": f"x{number}",
            "anchor": f"x{number}",
            "constrain": "domain",
        }
        traces.append(
            go.Heatmap(
                z=share.astype(float),
                xaxis=f"x{number}",
                yaxis=f"y{number}",
                coloraxis="coloraxis",
                hovertemplate=f"{plain(titles[place])}<br>row %{{y}}, column %{{x}}<br>"
                "<b>%{z:.2%}</b> of its relevance<extra></extra>",
            )
        )
        labels.append(
            {
                "text": title,
                "x": left,
                "y": top,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12, "color": colours.text},
            }
        )
    return go.Figure(
        traces,
        layout
        | {
            "template": "none",
            "meta": {"least_px": round(least_px)},
            "height": height + 16,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": colours.muted, "size": 11},
            "dragmode": False,
            "annotations": labels,
            "hoverlabel": {
                "bgcolor": colours.panel,
                "bordercolor": colours.line,
                "font": {"color": colours.text},
            },
            "coloraxis": {
                "colorscale": solid_stops(SIGNED_SCALE if signed else "Inferno"),
                "cmin": -peak if signed else 0,
                "cmax": peak,
                "colorbar": {
                    "thickness": 8,
                    "lenmode": "pixels",
                    "len": BAR_PX,
                    "y": 1,
                    "yanchor": "top",
                    "outlinewidth": 0,
                    "tickformat": ".1%",
                    "tickfont": {"color": colours.muted, "size": 11},
                },
            },
        },
    )


def _share(image: Float[np.ndarray, "rows cols"]) -> Float[np.ndarray, "rows cols"]:
    whole = np.abs(image, dtype=np.float64).sum()
    shares: Float[np.ndarray, "rows cols"] = image.astype(np.float64) / (whole or 1.0)
    return shares
