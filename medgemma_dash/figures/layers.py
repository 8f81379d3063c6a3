"""How much each decoder layer looked at the image."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.palette import palette

PALE = 0.3


def layer_figure(
    layers: Float[np.ndarray, " layers"],
    is_global: Sequence[bool],
    dark: bool = True,
    *,
    measure: str = "of its attention on the image",
    named: int = 0,
    first: int = 0,
    height_px: int = 150,
) -> go.Figure:
    """One bar a decoder layer: the share of attention that it gave to the image, or another one.

    layers: shares from 0 to 1, first layer first. measure: what they are, for the hover text.
    is_global: which layers see the whole sequence; drawn in the accent colour and named.
    named: so many of the highest bars carry the number of their layer. first: the bars of layers
    before it are pale, as not yet counted.
    Raises ValueError when the two differ in length.
    """
    if len(layers) != len(is_global):
        raise ValueError(f"{len(layers)} layer shares, but {len(is_global)} layer kinds.")
    colours = palette(dark)
    kinds = ["global" if one else "sliding window" for one in is_global]
    indices = list(range(len(layers)))
    marked = [index for index in indices if is_global[index]]
    # First, last and the global layers get a number, where they do not crowd.
    ticks = sorted({*indices[:1], *indices[-1:], *marked})
    ceiling = max(float(np.max(layers, initial=0.0)), 1e-9)
    digits = ".0" if ceiling >= 0.02 else ".1"
    highest = set(np.argsort(-layers, kind="stable")[:named].tolist())
    trace: dict[str, object] = {
        "type": "bar",
        "x": indices,
        "y": [float(share) for share in layers],
        "marker": {
            "color": [colours.accent if one else colours.bar for one in is_global],
            "line": {"width": 0},
            "cornerradius": 2,
            **({"opacity": [PALE if index < first else 1.0 for index in indices]} if first else {}),
        },
        # The number alone: with a share, neighbours among 34 bars would write over each other.
        "text": [f"<b>{index}</b>" if index in highest else "" for index in indices],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertext": [
            f"layer {index} · {kind}<br><b>{share:.1%}</b> {measure}"
            for index, kind, share in zip(indices, kinds, layers, strict=True)
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    layout: dict[str, object] = {
        "template": "none",
        "height": height_px,
        "margin": {"l": 36, "r": 4, "t": 22, "b": 20},
        "bargap": 0.18,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.muted, "size": 11},
        "showlegend": False,
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
            "align": "left",
        },
        "xaxis": {
            "tickvals": ticks,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "showline": True,
            "linecolor": colours.line,
            "ticks": "",
            "tickangle": 0,
        },
        "yaxis": {
            "range": [0, ceiling * (1.18 if named else 1.04)],
            "tickvals": [0, ceiling / 2, ceiling],
            "fixedrange": True,
            "ticktext": ["0", *(f"{one:{digits}%}" for one in (ceiling / 2, ceiling))],
            "showgrid": False,
            "zeroline": False,
        },
        "annotations": [
            {
                "x": 1,
                "xref": "paper",
                "xanchor": "right",
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
                "text": f'<span style="color:{colours.accent}">■</span> global layers',
            }
        ]
        if marked
        else [],
    }
    return unchecked_figure([trace], layout)
