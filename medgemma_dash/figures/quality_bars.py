"""What several maps are like, measure by measure: bars with the lines of their targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.palette import palette
from medgemma_dash.figures.words import plain
from medgemma_dash.metrics.map_quality import Mark

# Okabe and Ito's colours; a pattern and a sign say the same to those who see no colours.
MARK_COLOURS: dict[Mark, str] = {"good": "#009E73", "acceptable": "#CC9A00", "poor": "#D55E00"}
MARK_PATTERNS: dict[Mark, str] = {"good": "", "acceptable": "/", "poor": "x"}
MARK_SIGNS: dict[Mark, str] = {"good": "●", "acceptable": "◐", "poor": "○"}

ROW_PX, TITLE_PX, BELOW_PX = 18, 37, 6
END_PX = 58  # a number with its sign
NAME_PX, LETTER_PX = 28, 6.4
LONGEST_NAME, ITS_END = 24, 14  # of a longer one both ends: which one it is stands at the end
BAR_WIDTH = 0.62


@dataclass(frozen=True)
class QualityMeasure:
    """One measure of every map.

    target: what it should be, in a few words. good, acceptable: where the marks change; None
    without a target. even: what a map that is the same everywhere has. reach: the axis' end.
    values: NaN without a number. shown: the same as texts. marks: None where there is none.
    """

    title: str
    target: str
    good: float | None
    acceptable: float | None
    even: float | None
    reach: float
    values: Sequence[float]
    shown: Sequence[str]
    marks: Sequence[Mark | None]


def quality_figure(
    names: Sequence[str],
    measures: Sequence[QualityMeasure],
    *,
    columns: int = 2,
    room_px: int = 520,
    dark: bool = True,
) -> go.Figure:
    """A small chart for each measure, a bar in it for each map, in the order given.

    A line stands where good begins, a dashed one where acceptable does, a dotted one where an even
    map is. room_px: how wide the figure will be, about. Raises ValueError for a measure that has
    another number of maps.
    """
    if any(len(one.values) != len(names) for one in measures):
        raise ValueError(f"Measures of other maps than these {len(names)}.")
    colours = palette(dark)
    labels = [plain(_short(name)) for name in names]
    left_px = NAME_PX + LETTER_PX * max((len(one) for one in labels), default=0)
    rows = -(-len(measures) // columns)
    chart_px = len(names) * ROW_PX
    height = rows * (TITLE_PX + chart_px) + BELOW_PX
    inside = max(1.0, room_px - left_px)
    traces: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    for place, measure in enumerate(measures):
        row, column = divmod(place, columns)
        number = "" if place == 0 else str(place + 1)
        x, y = f"x{number}", f"y{number}"
        left = column / columns
        right = (column + 1) / columns - END_PX / inside
        plot = height - BELOW_PX
        top = 1 - (row * (TITLE_PX + chart_px) + TITLE_PX) / plot
        layout[f"xaxis{number}"] = {
            "domain": [left, right],
            "anchor": y,
            "range": [0, measure.reach],
            "fixedrange": True,
            "visible": False,
        }
        layout[f"yaxis{number}"] = {
            "domain": [max(0.0, top - chart_px / plot), top],
            "anchor": x,
            "range": [len(names) - 0.5, -0.5],
            "tickvals": list(range(len(names))),
            "ticktext": labels,
            "showticklabels": column == 0,
            "ticks": "",
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        }
        traces.append(_bars(labels, measure, x, y, colours.bar))
        shapes += _lines(measure, x, y, colours.text, colours.muted)
        small = f'<span style="font-size:11px;color:{colours.muted}">'
        annotations.append(
            {
                "text": f"<b>{plain(measure.title)}</b><br>{small}{plain(measure.target)}</span>",
                "x": left,
                "y": top,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "left",
                "yanchor": "bottom",
                "align": "left",
                "showarrow": False,
                "font": {"size": 12.5, "color": colours.text},
            }
        )
        annotations += [
            {
                "text": text,
                "x": right,
                "xref": "paper",
                "xanchor": "left",
                "xshift": 5,
                "y": at,
                "yref": y,
                "showarrow": False,
                "font": {"size": 12, "color": colours.text},
            }
            for at, text in enumerate(_ends(measure))
        ]
    return unchecked_figure(
        traces,
        layout
        | {
            "template": "none",
            "height": height,
            "margin": {"l": left_px, "r": 0, "t": 0, "b": BELOW_PX, "pad": 6},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": colours.text, "size": 12},
            "showlegend": False,
            "dragmode": False,
            "shapes": shapes,
            "annotations": annotations,
            "hoverlabel": {
                "bgcolor": colours.panel,
                "bordercolor": colours.line,
                "font": {"color": colours.text},
                "align": "left",
            },
        },
    )


def _bars(
    labels: Sequence[str], measure: QualityMeasure, x: str, y: str, unmarked: str
) -> dict[str, Any]:
    told = zip(labels, measure.shown, measure.marks, strict=True)
    title = plain(measure.title)
    return {
        "type": "bar",
        "orientation": "h",
        # A bar that is beyond the axis would be drawn over its number.
        "x": [min(value, measure.reach) if value == value else None for value in measure.values],
        "y": list(range(len(labels))),
        "xaxis": x,
        "yaxis": y,
        "width": BAR_WIDTH,
        "marker": {
            "color": [unmarked if mark is None else MARK_COLOURS[mark] for mark in measure.marks],
            "pattern": {
                "shape": ["" if mark is None else MARK_PATTERNS[mark] for mark in measure.marks],
                "fillmode": "overlay",
                "fgcolor": "#000000",
                "fgopacity": 0.5,
                "size": 5,
                "solidity": 0.2,
            },
            "line": {"width": 0},
        },
        "hovertext": [
            f"<b>{name}</b><br>{title} {value}" + (f", {mark}" if mark else "")
            for name, value, mark in told
        ],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }


def _lines(measure: QualityMeasure, x: str, y: str, text: str, muted: str) -> list[dict[str, Any]]:
    kinds = (
        (measure.even, {"color": muted, "width": 1.5, "dash": "dot"}),
        (measure.acceptable, {"color": text, "width": 1.5, "dash": "dash"}),
        (measure.good, {"color": text, "width": 1.5}),
    )
    return [
        {"type": "line", "xref": x, "yref": f"{y} domain", "x0": at, "x1": at, "y0": 0, "y1": 1,
         "line": line}
        for at, line in kinds
        if at is not None and at <= measure.reach
    ]  # fmt: skip


def _short(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - ITS_END - 1]}…{name[-ITS_END:]}"


def _ends(measure: QualityMeasure) -> list[str]:
    return [
        f"{MARK_SIGNS[mark]} {plain(text)}" if mark else plain(text)
        for text, mark in zip(measure.shown, measure.marks, strict=True)
    ]
