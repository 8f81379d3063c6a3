"""Text for figures, and the bars of the prompt words that mattered."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from medgemma_dash.core.numbers import number, share_percent
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


def prompt_words_figure(
    words: Sequence[WordRelevance], dark: bool = True, *, share_of: str = ""
) -> go.Figure:
    """Horizontal bars, one a word, in the order given; the value stands at the right edge.

    share_of: of what the values are shares; "" for raw relevance.

    Words of the answer are marked as such. Signed values: bars to the left are evidence against.
    """
    colours = palette(dark)
    values = [word.value for word in words]
    told = [share_percent(value) if share_of else number(value) for value in values]
    measure = f"{{}} {share_of}" if share_of else "relevance {}"
    labels = [
        plain(word.text, LONGEST_WORD)
        + (f' <span style="color:{colours.muted}">answer</span>' if word.part == "answer" else "")
        for word in words
    ]
    return row_bars(
        values,
        labels,
        told,
        [
            f"<b>{plain(word.text)}</b> in the {word.part}<br>{measure.format(value)}"
            for word, value in zip(words, told, strict=True)
        ],
        colours,
        reach=(min(0.0, *values), max(0.0, *values)) if any(values) else (0.0, 1.0),
    )
