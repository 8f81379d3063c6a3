"""Text for figures, and the bars of the prompt words that mattered."""

from collections.abc import Sequence
from html import escape
from math import isfinite

import plotly.graph_objects as go

from medgemma_dash.core.words import WordRelevance
from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.palette import palette

LONGEST_WORD = 24
ROW_HEIGHT_PX = 24


def plain(text: str, longest: int = 200) -> str:
    """Text from a person or a model, so that Plotly shows it and interprets none of it.

    Plotly labels read a subset of HTML: the markup is escaped, control characters (which could
    reorder the rest of a label) are dropped, white space is folded, and long texts are cut.
    """
    folded = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(folded) > longest:
        folded = folded[: longest - 1] + "…"
    # Plotly decodes &lt; &gt; &amp; but not &quot;, which needs no escape inside text.
    return escape(folded, quote=False)


def number(value: float) -> str:
    """A raw relevance in few characters: 0.0100, 1.25, 3.1e-06."""
    if not isfinite(value):
        return "–"
    if value == 0:
        return "0"
    magnitude = abs(value)
    if magnitude < 1e-4 or magnitude >= 1e4:
        return f"{value:.1e}"
    return f"{value:.4f}" if magnitude < 1 else f"{value:.3g}"


def prompt_words_figure(words: Sequence[WordRelevance], dark: bool = True) -> go.Figure:
    """Horizontal bars, one a word, in the order given; the value stands at the right edge.

    Words of the answer are marked as such. Signed values: bars to the left are evidence against.
    """
    colours = palette(dark)
    places = list(range(len(words)))
    values = [word.value for word in words]
    labels = [
        plain(word.text, LONGEST_WORD)
        + (f' <span style="color:{colours.muted}">answer</span>' if word.part == "answer" else "")
        for word in words
    ]
    trace: dict[str, object] = {
        "type": "bar",
        "x": values,
        "y": places,
        "orientation": "h",
        "width": 0.42,
        "marker": {"color": colours.bar, "line": {"width": 0}, "cornerradius": 2},
        "hovertext": [
            f"<b>{plain(word.text)}</b> in the {word.part}<br>relevance {number(word.value)}"
            for word in words
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    layout: dict[str, object] = {
        "template": "none",
        "height": max(1, len(words)) * ROW_HEIGHT_PX + 8,
        "margin": {"l": 8, "r": 64, "t": 4, "b": 4, "pad": 8},
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
        "xaxis": {
            "visible": False,
            "fixedrange": True,
            "range": [min(0.0, *values), max(0.0, *values)] if any(values) else [0, 1],
        },
        "yaxis": {
            "tickvals": places,
            "ticktext": labels,
            "automargin": True,
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "range": [len(words) - 0.5, -0.5],
        },
        "annotations": [
            {
                "x": 1,
                "xref": "paper",
                "xanchor": "right",
                "xshift": 58,
                "y": place,
                "yref": "y",
                "text": number(word.value),
                "showarrow": False,
                "font": {"color": colours.muted},
            }
            for place, word in enumerate(words)
        ],
    }
    return unchecked_figure([trace], layout)
