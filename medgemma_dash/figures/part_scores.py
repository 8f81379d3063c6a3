"""One measure over parts of a whole, a bar for each, with marks where its floors lie."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.question_scores import (
    END_PX,
    interval_words,
    whiskers,
    whole_rows,
)
from medgemma_dash.figures.row_bars import row_bars
from medgemma_dash.figures.words import plain

LONGEST_PART = 30


@dataclass(frozen=True)
class PartScore:
    """name: of the part. low, high: the interval's ends, not numbers without one.

    floors: pairs of a name and a number; those that are no numbers are left out. rows: of how many.
    """

    name: str
    value: float
    low: float
    high: float
    floors: tuple[tuple[str, float], ...] = ()
    rows: int = 0


def part_scores_figure(
    parts: Sequence[PartScore],
    dark: bool = True,
    *,
    reach: tuple[float, float] = (0.0, 1.0),
    counted: str = "rows",
    decimals: int = 2,
) -> go.Figure:
    """A bar for each part in the order given. reach: the axis' range. counted: what `rows` are.

    decimals: of the numbers at the bars' ends. A click's place tells which part it was on.
    """
    colours = palette(dark)
    names = [plain(part.name, LONGEST_PART) for part in parts]
    figure = row_bars(
        [part.value for part in parts],
        names,
        [interval_words(part.value, part.low, part.high, decimals) for part in parts],
        [_hover(part, counted) for part in parts],
        colours,
        reach=reach,
        end_px=END_PX,
        bars=[colours.accent] * len(parts),
    )
    figure.data[0].error_x = whiskers([(p.value, p.low, p.high) for p in parts], colours.text)
    for name, symbol in zip(
        dict.fromkeys(name for part in parts for name, _ in part.floors),
        ("diamond-open", "x-thin-open"),
        strict=False,
    ):
        known = [
            (place, value)
            for place, part in enumerate(parts)
            for floor, value in part.floors
            if floor == name and value == value
        ]
        figure.add_trace(
            go.Scatter(
                x=[value for _, value in known],
                y=[place for place, _ in known],
                mode="markers",
                name=name,
                marker={
                    "symbol": symbol,
                    "size": 9,
                    "color": colours.text,
                    "line": {"width": 1.6, "color": colours.text},
                },
                hoverinfo="skip",
                cliponaxis=False,
                showlegend=True,
                unselected={"marker": {"opacity": 1}},
            )
        )
    marked = len(figure.data) > 1
    whole_rows(figure, reach, colours)
    if marked:
        figure.data[0].showlegend = False
        figure.update_layout(
            showlegend=True,
            height=figure.layout.height + 30,
            margin={"b": 30},
            legend={"orientation": "h", "x": 0, "y": 0, "yanchor": "top", "font": {"size": 12}},
        )
    return figure


def _hover(part: PartScore, counted: str) -> str:
    lines = [f"<b>{plain(part.name)}</b>", f"{part.value:.3f} of {part.rows} {counted}"]
    if part.low == part.low:
        lines.append(f"95%: {part.low:.3f} to {part.high:.3f}")
    lines += [f"{name}: {value:.3f}" for name, value in part.floors if value == value]
    return "<br>".join(lines)
