"""What answers to a set of questions are worth, as bars, each above its blind floors."""

from collections.abc import Sequence

import plotly.graph_objects as go

from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import plain

END_PX = 132


def question_scores_figure(
    scores: Sequence[tuple[str, float, float, float]], dark: bool = True
) -> go.Figure:
    """A bar for each figure: its name, itself and its interval's ends, all of 0 to 1.

    The first of every three is the model's own, the others are its floors. Ends that are not
    numbers are left out.
    """
    colours = palette(dark)
    names = [plain(name) for name, *_ in scores]
    figure = row_bars(
        [value for _, value, *_ in scores],
        names,
        [interval_words(*numbers) for _, *numbers in scores],
        [
            f"<b>{name}</b><br>{value:.3f}" + (f"<br>95%: {low:.3f} to {high:.3f}" * (low == low))
            for name, (_, value, low, high) in zip(names, scores, strict=True)
        ],
        colours,
        reach=(0.0, 1.0),
        end_px=END_PX,
        bars=[colours.bar if place % 3 else colours.accent for place in range(len(scores))],
    )
    figure.data[0].error_x = whiskers([numbers for _, *numbers in scores], colours.text)
    return figure


def interval_words(value: float, low: float, high: float) -> str:
    """A number with its interval, as it stands at a bar's end."""
    return f"{value:.2f} ({low:.2f}\u2013{high:.2f})" if low == low else f"{value:.2f}"


def whiskers(numbers: Sequence[Sequence[float]], colour: str) -> dict[str, object]:
    """Plotly's error bars of values with the ends of their intervals; none where there are none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [max(0.0, high - value) if high == high else 0.0 for value, _, high in numbers],
        "arrayminus": [max(0.0, value - low) if low == low else 0.0 for value, low, _ in numbers],
        "color": colour,
        "thickness": 1.2,
        "width": 3,
    }
