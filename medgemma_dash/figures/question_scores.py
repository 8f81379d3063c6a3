"""What answers to a set of questions are worth, as bars, each above its blind floors."""

from collections.abc import Sequence

import plotly.graph_objects as go

from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import plain


def question_scores_figure(
    scores: Sequence[tuple[str, float, float, float]], dark: bool = True
) -> go.Figure:
    """A bar for each figure: its name, itself and its interval's ends, all of 0 to 1.

    The first of every three is the model's own, the others are its floors. Ends that are not
    numbers are left out of the texts.
    """
    colours = palette(dark)
    names = [plain(name) for name, *_ in scores]
    return row_bars(
        [value for _, value, *_ in scores],
        names,
        [f"{value:.2f}" for _, value, *_ in scores],
        [
            f"<b>{name}</b><br>{value:.3f}" + (f"<br>95%: {low:.3f} to {high:.3f}" * (low == low))
            for name, (_, value, low, high) in zip(names, scores, strict=True)
        ],
        colours,
        reach=(0.0, 1.0),
        bars=[colours.bar if place % 3 else colours.accent for place in range(len(scores))],
    )
