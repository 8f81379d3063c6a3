"""Text for figures, and the bars of the prompt words that mattered."""

from collections.abc import Sequence
from html import escape
from math import isfinite

import plotly.graph_objects as go

from medgemma_dash.core.words import WordRelevance
from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.row_bars import row_bars

LONGEST_WORD = 24


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
    values = [word.value for word in words]
    labels = [
        plain(word.text, LONGEST_WORD)
        + (f' <span style="color:{colours.muted}">answer</span>' if word.part == "answer" else "")
        for word in words
    ]
    return row_bars(
        values,
        labels,
        [number(word.value) for word in words],
        [
            f"<b>{plain(word.text)}</b> in the {word.part}<br>relevance {number(word.value)}"
            for word in words
        ],
        colours,
        reach=(min(0.0, *values), max(0.0, *values)) if any(values) else (0.0, 1.0),
    )
