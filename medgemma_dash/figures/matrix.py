"""Numbers for every pair of maps."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from medgemma_dash.figures.cell_room import DESK_PX, JOIN, LONGEST_NAME, cell_text
from medgemma_dash.figures.palette import LIGHT, palette, scale_colours, solid_stops
from medgemma_dash.figures.words import plain
from medgemma_dash.metrics.agreement_square import DECIMALS, telling_decimals

CELL_HEIGHTS_PX = (46, 54, 62)  # by how many lines the controls' band takes below each number
INK_TURNS = 0.18  # relative luminance


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
    decimals: int = DECIMALS,
    room_px: int = DESK_PX,
    numbered: bool = False,
    dark: bool = True,
) -> go.Figure:
    """A square of numbers, one for each pair; the closer to `best`, the stronger the colour.

    low, high: the ends of the colour scale. Pairs without a number (NaN) stay empty.
    words: how alike each pair is, for the hover text.
    bands: where controls lie, low and high, below each number; clear: whether the pair lies
    clearly beyond them: the others' numbers stand back.
    decimals: of every number; more where it would read as an end of its band, see
        `telling_decimals`.
    room_px: how wide the figure will be at least. Where cells have no room for a band in one line
        it takes two, then none; then the number has none either: see `cell_text`.
    numbered: 1, 2, ... stand at the sides in place of the titles.
    Raises ValueError when a square does not fit the titles.
    """
    if values.shape != (len(titles), len(titles)):
        raise ValueError(f"{values.shape} numbers for {len(titles)} maps.")
    for told in (words, bands, clear):
        if told is not None and [len(row) for row in told] != len(titles) * [len(titles)]:
            raise ValueError(f"Words for other pairs than those of {len(titles)} maps.")
    colours = palette(dark)
    names = [plain(title, LONGEST_NAME) for title in titles]
    stops = solid_stops("Cividis")
    if best == low:
        stops = [[1 - place, colour] for place, colour in reversed(stops)]  # type: ignore[operator]
    digits = [
        [max(decimals, telling_decimals(*one)) for one in zip(*rows, strict=True)]
        for rows in zip(values.tolist(), bands or [[None] * len(names)] * len(names), strict=True)
    ]
    text = [
        [
            f"{value:.{places}f}" if np.isfinite(value) else ""
            for value, places in zip(*rows, strict=True)
        ]
        for rows in zip(values.tolist(), digits, strict=True)
    ]
    ends = [
        [_ends(*one) for one in zip(*rows, strict=True)]
        for rows in zip(bands or [[None] * len(names)] * len(names), digits, strict=True)
    ]
    sides = [str(place) for place in range(1, len(names) + 1)] if numbered else names
    room = cell_text(
        sides,
        [one for row in text for one in row],
        [one for row in ends for one in row if one is not None],
        room_px,
    )
    told = "customdata" if words is None else "customdata[0]"
    cells = go.Heatmap(
        z=values.astype(float),
        x=names,
        y=names,
        zmin=low,
        zmax=high,
        colorscale=stops,
        showscale=False,
        text=text,
        xgap=2,
        ygap=2,
        customdata=text if words is None else np.dstack([text, words]),
        hovertemplate=f"%{{y}} and %{{x}}<br>{plain(measure)} <b>%{{{told}}}</b>"
        + ("<extra></extra>" if words is None else "<br>%{customdata[1]}<extra></extra>"),
    )
    axis = {
        "fixedrange": True,
        "automargin": True,
        "ticks": "",
        "showgrid": False,
        "tickmode": "array",
        "tickvals": names,
        "ticktext": sides,
    }
    layout: dict[str, object] = {
        "template": "none",
        "height": CELL_HEIGHTS_PX[room.lines] * len(names) + (30 if numbered else 90),
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
        "xaxis": axis,
        "yaxis": axis | {"autorange": "reversed"},
    }
    inks = [[_ink(value, low, high, best) for value in row] for row in values]
    lines = []
    if room.number_size:
        shown = [
            [_bold(*one) for one in zip(*rows, strict=True)]
            for rows in zip(text, clear or [[False] * len(names)] * len(names), strict=True)
        ]
        place = "top center" if room.lines else "middle center"
        lines.append(_line(names, shown, inks, room.number_size, place))
    if room.lines:
        join = JOIN if room.lines == 1 else "<br>"
        shown = [["" if one is None else join.join(one) for one in row] for row in ends]
        lines.append(_line(names, shown, inks, room.band_size, "bottom center"))
    return go.Figure([cells, *lines], layout)


def _line(
    names: Sequence[str],
    texts: Sequence[Sequence[str]],
    inks: Sequence[Sequence[str]],
    size: int,
    place: str,
) -> go.Scatter:
    """One line of text in every cell: a heatmap's own text has one line and one size."""
    count = len(names)
    return go.Scatter(
        x=[names[j] for _ in range(count) for j in range(count)],
        y=[names[i] for i in range(count) for _ in range(count)],
        mode="text",
        text=[one for row in texts for one in row],
        textposition=place,
        textfont={"size": size, "color": [one for row in inks for one in row]},
        hoverinfo="skip",
        showlegend=False,
    )


def _bold(number: str, clear: bool) -> str:
    return f"<b>{number}</b>" if clear and number else number


def _ends(band: tuple[float, float] | None, decimals: int) -> tuple[str, str] | None:
    if band is None or not np.isfinite(band).all():
        return None
    low, high = (f"{end:.{decimals}f}".replace("-", "\u2212") for end in band)
    return low, high


def _ink(value: float, low: float, high: float, best: float) -> str:
    """Black or white, whichever is read better on the cell's colour."""
    if not np.isfinite(value):
        return LIGHT.text
    place = np.clip((value - low) / ((high - low) or 1.0), 0, 1)
    near = 1 - place if best == low else place
    red, green, blue = scale_colours("Cividis", 256)[round(255 * float(near))] / 255
    # WCAG's relative luminance, with a gamma of 2.2.
    light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
    return "#000000" if light > INK_TURNS else "#ffffff"
