"""What answers to a set of questions are worth, as bars, each above its blind floors."""

from collections.abc import Sequence

import plotly.graph_objects as go

from medgemma_dash.figures.palette import Palette, palette
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import plain

END_PX = 132


def question_scores_figure(
    scores: Sequence[tuple[str, float, float, float]], dark: bool = True
) -> go.Figure:
    """A bar for each figure: its name, itself and its interval's ends, all of 0 to 1.

    The first of every three is the model's own, the others are its floors. Ends that are not
    numbers are left out; a figure that is none has no bar, and says that it is not known.
    """
    colours = palette(dark)
    names = [plain(name) for name, *_ in scores]
    figure = row_bars(
        [value if value == value else 0.0 for _, value, *_ in scores],
        names,
        [interval_words(value, low, high) for _, value, low, high in scores],
        [
            f"<b>{name}</b><br>{_known(value, 3)}"
            + (f"<br>95%: {low:.3f} to {high:.3f}" * (low == low))
            for name, (_, value, low, high) in zip(names, scores, strict=True)
        ],
        colours,
        reach=(0.0, 1.0),
        end_px=END_PX,
        bars=[colours.bar if place % 3 else colours.accent for place in range(len(scores))],
    )
    figure.data[0].error_x = whiskers([numbers for _, *numbers in scores], colours.text)
    whole_rows(figure, (0.0, 1.0), colours)
    return figure


def interval_words(value: float, low: float, high: float, decimals: int = 2) -> str:
    """A number with its interval, as it stands at a bar's end."""
    said = _known(value, decimals)
    return f"{said} ({low:.{decimals}f}\u2013{high:.{decimals}f})" if low == low else said


def _known(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if value == value else "not known"


def whole_rows(figure: go.Figure, reach: tuple[float, float], colours: Palette) -> None:
    """Have each bar's whole row tell its numbers and take clicks: a bar may have no length.

    The row that is chosen is tinted, and no bar fades for it.
    """
    bars = figure.data[0]
    low, high = reach
    figure.add_bar(
        x=[high - low] * len(bars.y),
        base=low,
        y=bars.y,
        orientation="h",
        width=0.96,
        marker={"color": "rgba(0,0,0,0)", "line": {"width": 0}},
        selected={"marker": {"color": colours.accent, "opacity": 0.16}},
        unselected={"marker": {"opacity": 0}},
        hovertext=bars.hovertext,
        hovertemplate=bars.hovertemplate,
        showlegend=False,
    )
    bars.update(hoverinfo="skip", hovertemplate=None, unselected={"marker": {"opacity": 1}})
    figure.update_layout(barmode="overlay")


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
