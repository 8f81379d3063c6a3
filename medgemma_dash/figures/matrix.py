"""Numbers for every pair of maps."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.figures.palette import palette, solid_stops
from medgemma_dash.figures.words import plain

CELL_PX = 46
TALL_CELL_PX = 54  # with the controls' band below each number


def pair_figure(
    titles: Sequence[str],
    values: Float[np.ndarray, "maps maps"],
    measure: str,
    *,
    low: float,
    high: float,
    best: float,
    words: Sequence[Sequence[str]] | None = None,
    bands: Sequence[Sequence[tuple[float, float] | None]] | None = None,
    clear: Sequence[Sequence[bool]] | None = None,
    decimals: int = 2,
    dark: bool = True,
) -> go.Figure:
    """A square of numbers, one for each pair; the closer to `best`, the stronger the colour.

    low, high: the ends of the colour scale. Pairs without a number (NaN) stay empty.
    words: how alike each pair is, for the hover text.
    bands: where controls lie, low and high, below each number; clear: whether the pair lies
    clearly beyond them: the others' numbers stand back.
    Raises ValueError when a square does not fit the titles.
    """
    if values.shape != (len(titles), len(titles)):
        raise ValueError(f"{values.shape} numbers for {len(titles)} maps.")
    for told in (words, bands, clear):
        if told is not None and [len(row) for row in told] != len(titles) * [len(titles)]:
            raise ValueError(f"Words for other pairs than those of {len(titles)} maps.")
    colours = palette(dark)
    names = [plain(title, 26) for title in titles]
    stops = solid_stops("Cividis")
    if best == low:
        stops = [[1 - place, colour] for place, colour in reversed(stops)]  # type: ignore[operator]
    text = [
        [f"{value:.{decimals}f}" if np.isfinite(value) else "" for value in row] for row in values
    ]
    shown = [
        [
            _cell_text(
                number,
                None if bands is None else bands[i][j],
                None if clear is None else clear[i][j],
                decimals,
            )
            for j, number in enumerate(row)
        ]
        for i, row in enumerate(text)
    ]
    told = "customdata" if words is None else "customdata[0]"
    traces = go.Heatmap(
        z=values.astype(float),
        x=names,
        y=names,
        zmin=low,
        zmax=high,
        colorscale=stops,
        showscale=False,
        text=shown,
        texttemplate="%{text}",
        xgap=2,
        ygap=2,
        customdata=text if words is None else np.dstack([text, words]),
        hovertemplate=f"%{{y}} and %{{x}}<br>{plain(measure)} <b>%{{{told}}}</b>"
        + ("<extra></extra>" if words is None else "<br>%{customdata[1]}<extra></extra>"),
    )
    layout: dict[str, object] = {
        "template": "none",
        "height": (CELL_PX if bands is None else TALL_CELL_PX) * len(names) + 90,
        "margin": {"l": 8, "r": 4, "t": 4, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": 12},
        "dragmode": False,
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
        },
        "xaxis": {"fixedrange": True, "automargin": True, "ticks": "", "showgrid": False},
        "yaxis": {
            "fixedrange": True,
            "automargin": True,
            "ticks": "",
            "showgrid": False,
            "autorange": "reversed",
        },
    }
    return go.Figure(traces, layout)


def _cell_text(
    number: str, band: tuple[float, float] | None, clear: bool | None, decimals: int
) -> str:
    """The number, in bold when it is clear of the controls, over their band in small letters."""
    shown = f"<b>{number}</b>" if clear and number else number
    if band is None or not np.isfinite(band).all():
        return shown
    low, high = (f"{end:.{decimals}f}".replace("-", "\u2212") for end in band)
    return f'{shown}<br><span style="font-size:10px">{low} to {high}</span>'
