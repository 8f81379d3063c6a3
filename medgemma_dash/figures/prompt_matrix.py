"""A small map for every prompt and image, with the decision under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.cell_room import LETTER
from medgemma_dash.figures.cells import Cell, framed
from medgemma_dash.figures.colour_bars import bar_label, colour_bar
from medgemma_dash.figures.lettering import broken
from medgemma_dash.figures.map_traces import background
from medgemma_dash.figures.palette import (
    Palette,
    checked_scale,
    overlay_stops,
    palette,
    solid_stops,
)
from medgemma_dash.figures.share_maps import share_of_mass
from medgemma_dash.figures.stretching import MapMode, stretched
from medgemma_dash.figures.words import plain

TEXT_SIZE, SMALL_SIZE, LINE_PX, BESIDE_LINE_PX = 12, 11, 15, 13
BESIDE_PX, BELOW_PX, GAP_PX, BAR_PX = 12, 40, 8, 4
LARGEST_PX, SMALLEST_PX = 220, 26
ROOMY_PX, BAR_ONLY_PX = 84, 8
LONGEST_TITLE = 40
# What stands at a map: pixels of a strip below it (a bar and lines of text) and of one at its right
# (lines alone), and how wide and high the map has to be for that. Of those that have room the one
# with the largest maps is taken.
STRIPS = ((42, 0, 84, 0), (26, 0, 56, 0), (8, 36, 0, 36), (8, 0, 0, 0))
# Points a cell and side of a smooth map, for so many maps at most: a figure stays below a megabyte.
POINTS = ((8, 4), (24, 3), (64, 2))
# Okabe and Ito's, told apart without colour vision; the side that a bar points to says it as well.
YES, NO = "#E69F00", "#56B4E9"


@dataclass(frozen=True, eq=False)
class MatrixCell:
    """One map and what was decided.

    image_map: raw; None where there is none. film: a JPEG to lie below it, or nothing.
    verdict, number, small: what stands at the map, where there is room: what the answer says, the
        margin, and one thing more. hover: lines for the hover text.
    """

    image_map: npt.NDArray[np.float32] | None
    margin: float
    verdict: str
    number: str
    small: str
    hover: Sequence[str]
    film: bytes = b""


@dataclass(frozen=True)
class _Room:
    """Pixels: of a map, of the strips below it and at its right, and of the titles at the left and
    above all maps.
    """

    width: float
    height: float
    below: int
    beside: int
    left: float
    titles: tuple[str, ...]
    top: int

    @property
    def across(self) -> float:
        return self.width + self.beside + GAP_PX

    @property
    def down(self) -> float:
        return self.height + self.below + GAP_PX


def prompt_matrix_figure(
    rows: Sequence[Sequence[MatrixCell | None]],
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    *,
    ratio: float = 1.0,
    signed: bool = False,
    selected: Cell | None = None,
    reference: Cell | None = None,
    room_px: int = 700,
    tallest_px: int = 520,
    mode: MapMode = "smooth",
    opacity: float = 0.75,
    colour_scale: str = "Inferno",
    dark: bool = True,
) -> Any:
    """All maps as shares of their own relevance on one scale; a bar under each is the margin, to
    the right for yes, to the left for no, on one scale too.

    rows: a cell for each column, None where nothing was asked. ratio: a film's width by its height.
    selected, reference: (row, column) of the framed cells.
    room_px, tallest_px: what the figure has; it takes less where that is enough.
    The axes end where the cells do, so that a place in them is a cell.
    Raises ValueError for no cell, or titles that do not fit.
    """
    if not rows or [len(row) for row in rows] != len(rows) * [len(column_titles)]:
        raise ValueError(f"Rows of {[len(row) for row in rows]} for {len(column_titles)} columns.")
    if len(row_titles) != len(rows) or not column_titles:
        raise ValueError(f"{len(row_titles)} titles for {len(rows)} rows.")
    colours = palette(dark)
    room = _room(row_titles, column_titles, ratio, room_px, tallest_px)
    columns, count = len(column_titles), len(rows)
    cells = [
        (row, column, cell)
        for row, line in enumerate(rows)
        for column, cell in enumerate(line)
        if cell is not None
    ]
    traces, images, peak = _maps(cells, room, signed, mode, opacity, colour_scale)
    traces.append(_hover(cells, room))
    name = checked_scale(colour_scale, signed)
    ends = (-peak if signed else 0.0, peak)
    traces.append(colour_bar(ends, name))
    middles = [_left(column, room) + room.width / 2 for column in range(columns)]
    axis = {
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "showline": False,
    }
    layout: dict[str, Any] = {
        "template": "none",
        "height": round(room.top + count * room.down + BELOW_PX),
        "margin": {"l": room.left, "r": 0, "t": room.top, "b": BELOW_PX, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": colours.text, "size": TEXT_SIZE},
        "dragmode": False,
        "hovermode": "closest",
        "hoverdistance": -1,
        "showlegend": False,
        "hoverlabel": {
            "bgcolor": colours.panel,
            "bordercolor": colours.line,
            "font": {"color": colours.text, "size": 13},
            "align": "left",
        },
        "xaxis": axis
        | {
            "side": "top",
            "tickvals": middles,
            "ticktext": list(room.titles),
            "tickangle": 0,
            "range": [0, columns * room.across],
            "constrain": "domain",
            "constraintoward": "left",
        },
        "yaxis": axis
        | {
            "tickvals": [_top(row, room) + room.height / 2 for row in range(count)],
            "ticktext": [_broken(title, room.left - BESIDE_PX) for title in row_titles],
            "range": [count * room.down, 0],
            "scaleanchor": "x",
            "scaleratio": 1,
            "constrain": "domain",
            "constraintoward": "top",
        },
        "images": images,
        "shapes": [
            *_margins(cells, room, colours),
            *(_frame(reference, room, "#ffffff") if reference is not None else []),
            *(_frame(selected, room, colours.accent) if selected is not None else []),
        ],
        "annotations": [
            *_words(cells, room, colours),
            bar_label("0" if not signed else f"{peak:.1%} against", 0.0, "left", dark),
            bar_label(f"{peak:.1%} of a map's relevance", 1.0, "right", dark),
        ],
    }
    return unchecked_figure(traces, layout)


def _room(
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    ratio: float,
    room_px: int,
    tallest_px: int,
) -> _Room:
    """As large as the maps can be, with as much under them as they have room for."""
    longest = max((len(word) for title in row_titles for word in title.split()), default=0)
    left = BESIDE_PX + longest * LETTER * TEXT_SIZE if any(row_titles) else 0.0
    columns, rows = len(column_titles), len(row_titles)
    found = []
    for below, beside, wide, high in STRIPS:
        widest = (room_px - left) / columns - GAP_PX - beside
        _, top = _column_titles(column_titles, widest + beside)
        tallest = (tallest_px - top - BELOW_PX) / rows - below - GAP_PX
        height = float(np.clip(min(widest / ratio, tallest), SMALLEST_PX, LARGEST_PX))
        titles, top = _column_titles(column_titles, height * ratio + beside)
        if height * ratio >= wide and height >= high:
            found.append(_Room(height * ratio, height, below, beside, left, titles, top))
    # Text is worth more than size where the maps are large anyway.
    return next((one for one in found if one.width >= ROOMY_PX), None) or _largest(found)


def _largest(rooms: Sequence[_Room]) -> _Room:
    """Of those with text, if there are any."""
    told = [one for one in rooms if one.below > BAR_ONLY_PX or one.beside]
    return max(told or rooms, key=lambda one: one.width)


def _column_titles(titles: Sequence[str], width: float) -> tuple[tuple[str, ...], int]:
    told = tuple(_broken(title, width + GAP_PX) for title in titles)
    lines = max(title.count("<br>") + 1 for title in told) if any(told) else 0
    return told, lines * LINE_PX + 6


def _broken(title: str, width: float) -> str:
    lines = broken(
        title[:LONGEST_TITLE], max(width, 1), lambda text: len(text) * LETTER * TEXT_SIZE
    )
    return "<br>".join(plain(line) for line in lines)


def _left(column: int, room: _Room) -> float:
    return column * room.across + GAP_PX / 2


def _top(row: int, room: _Room) -> float:
    return row * room.down + GAP_PX / 2


Placed = tuple[int, int, MatrixCell]


def _maps(
    cells: Sequence[Placed],
    room: _Room,
    signed: bool,
    mode: MapMode,
    opacity: float,
    colour_scale: str,
) -> tuple[list[Any], list[dict[str, Any]], float]:
    """One heatmap of all maps with nothing between them, the films below it, and the peak."""
    images = []
    shares: list[tuple[int, int, npt.NDArray[np.float32]]] = []
    for row, column, cell in cells:
        if cell.film:
            # `background` lays a film at the origin, and here every map has a place of its own.
            film = background(cell.film, PatchGrid(1, 1, height=1, width=1))
            place = {"x": _left(column, room), "y": _top(row, room)}
            images.append(film | place | {"sizex": room.width, "sizey": room.height})
        if cell.image_map is not None:
            shares.append((row, column, share_of_mass(cell.image_map, signed)))
    if not shares:
        return [], images, 1.0
    peak = max(float(np.abs(one).max()) for _, _, one in shares) or 1.0
    points = 1
    if mode == "smooth":
        points = next((many for upto, many in POINTS if len(shares) <= upto), 1)
    rows, columns = (points * side for side in shares[0][2].shape)
    x, x_at = _centres([column for _, column, _ in shares], columns, room.width, _left, room)
    y, y_at = _centres([row for row, _, _ in shares], rows, room.height, _top, room)
    z = np.full((len(y), len(x)), np.nan, np.float32)
    for row, column, share in shares:
        down, across = y_at[row], x_at[column]
        z[down : down + rows, across : across + columns] = stretched(share, rows, columns, mode)
    name = checked_scale(colour_scale, signed)
    over_film = bool(images)
    heatmap = {
        "type": "heatmap",
        "x": x,
        "y": y,
        "z": z,
        "zmin": -peak if signed else 0.0,
        "zmax": peak,
        "colorscale": overlay_stops(name, signed, 0.0) if over_film else solid_stops(name),
        "opacity": opacity if over_film else 1.0,
        "showscale": False,
        "hoverinfo": "skip",
        "hoverongaps": False,
    }
    return [heatmap], images, peak


def _centres(
    places: Sequence[int], count: int, length: float, start: Any, room: _Room
) -> tuple[npt.NDArray[np.float64], dict[int, int]]:
    """Where the points of the maps at these places lie on an axis, an empty one beyond either end
    of each, and where among them each map begins.
    """
    step = length / count
    centres: list[float] = []
    begins = {}
    for place in sorted(set(places)):
        begins[place] = len(centres) + 1
        centres += [start(place, room) + (at + 0.5) * step for at in range(-1, count + 1)]
    return np.array(centres), begins


def _hover(cells: Sequence[Placed], room: _Room) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [_left(column, room) + room.width / 2 for _, column, _ in cells],
        "y": [_top(row, room) + room.height / 2 for row, _, _ in cells],
        "mode": "none",
        "hovertext": ["<br>".join(cell.hover) for _, _, cell in cells],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _margins(cells: Sequence[Placed], room: _Room, colours: Palette) -> list[dict[str, Any]]:
    """A track and a bar from its middle under every map."""
    most = max((abs(c.margin) for _, _, c in cells if np.isfinite(c.margin)), default=0.0) or 1.0
    shapes = []
    for row, column, cell in cells:
        left, top = _left(column, room), _top(row, room) + room.height + 3
        middle = left + room.width / 2
        end = middle + room.width / 2 * (cell.margin / most if np.isfinite(cell.margin) else 0.0)
        for x0, x1, colour in (
            (left, left + room.width, colours.line),
            (min(middle, end), max(middle, end), YES if cell.margin > 0 else NO),
            (middle - 0.5, middle + 0.5, colours.muted),
        ):
            box = {"x0": x0, "x1": x1, "y0": top, "y1": top + BAR_PX}
            shapes.append({"type": "rect", **box, "line": {"width": 0}, "fillcolor": colour})
    return shapes


def _words(cells: Sequence[Placed], room: _Room, colours: Palette) -> list[dict[str, Any]]:
    texts = []
    for row, column, cell in cells:
        told = [
            *((word, TEXT_SIZE, colours.text) for word in _lines(cell, room)),
            (cell.small, SMALL_SIZE, colours.muted),
        ]
        middle, y = _left(column, room) + room.width / 2, _top(row, room)
        x, y = middle, y + room.height + BAR_PX + 4
        many = (room.below - BAR_PX - 4) // LINE_PX
        if room.beside:
            x, y = middle + (room.width + room.beside) / 2 + 2, _top(row, room)
            many = int(room.height // BESIDE_LINE_PX)
        for line, (text, size, colour) in enumerate(told[: max(0, many)]):
            at = y + (line + 0.5) * (BESIDE_LINE_PX if room.beside else LINE_PX)
            texts.append((text, x, at, {"size": size, "color": colour}))
        if cell.image_map is None:
            y = _top(row, room) + room.height / 2
            texts.append(("no map", middle, y, {"size": TEXT_SIZE, "color": colours.muted}))
    return [
        {
            "text": text,
            "x": x,
            "y": y,
            "xanchor": "center",
            "yanchor": "middle",
            "showarrow": False,
            "font": font,
        }
        for text, x, y, font in texts
    ]


def _lines(cell: MatrixCell, room: _Room) -> tuple[str, ...]:
    """The decision in one line, or above each other where there is less room."""
    return (cell.verdict, cell.number) if room.beside else (f"{cell.verdict} {cell.number}",)


def _frame(cell: Cell, room: _Room, colour: str) -> list[dict[str, Any]]:
    row, column = cell
    left, top = _left(column, room), _top(row, room)
    box = {"x0": left, "x1": left + room.width, "y0": top, "y1": top + room.height}
    return framed([box], colour=colour, width=2.0)
