"""One number for each of some tokens, as bars, with a second number marked beside it."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import LONGEST_WORD, plain


def token_bars_figure(
    tokens: Sequence[str],
    values: Sequence[float],
    told: Sequence[str],
    *,
    measure: str,
    chosen: int | None = None,
    marks: Sequence[float] | None = None,
    marks_are: str = "",
    reach: tuple[float, float] | None = None,
    dark: bool = True,
) -> go.Figure:
    """Horizontal bars, one a token, in the order given.

    told: each value as it stands at the right edge. measure: what the values are, for the hover
    text. chosen: which of them is drawn in the accent. marks: a second value of each, drawn as a
    stroke; marks_are: what these are. reach: of the axis; of all that is drawn by default.
    Raises ValueError for lists of different lengths.
    """
    counts = {len(tokens), len(values), len(told), len(tokens if marks is None else marks)}
    if len(counts) != 1:
        raise ValueError("Tokens, values, texts and marks are as many.")
    colours = palette(dark)
    hover = [
        f"<b>{plain(token)}</b><br>{measure} {text}"
        for token, text in zip(tokens, told, strict=True)
    ]
    if marks is not None:
        hover = [
            f"{line}<br>{plain(marks_are)} {mark:.3g}"
            for line, mark in zip(hover, marks, strict=True)
        ]
    drawn = [0.0, *values, *(marks or ())]
    figure = row_bars(
        values,
        [plain(token, LONGEST_WORD) for token in tokens],
        told,
        hover,
        colours,
        reach=reach or (min(drawn), max(drawn) or 1.0),
        bars=[colours.accent if place == chosen else colours.bar for place in range(len(values))],
    )
    if marks is not None:
        strokes: dict[str, Any] = {
            "type": "scatter",
            "x": list(marks),
            "y": list(range(len(marks))),
            "mode": "markers",
            "marker": {
                "symbol": "line-ns",
                "size": 13,
                "line": {"width": 2.5, "color": colours.text},
            },
            "hoverinfo": "skip",
            "cliponaxis": False,
        }
        figure.add_trace(strokes)
    return figure
