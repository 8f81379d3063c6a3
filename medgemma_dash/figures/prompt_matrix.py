"""A small map for every prompt and image, with the decision under it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.building import unchecked_figure
from medgemma_dash.figures.cells import Cell, framed
from medgemma_dash.figures.colour_bars import bar_label, colour_bar
from medgemma_dash.figures.map_traces import background
from medgemma_dash.figures.palette import checked_scale, overlay_stops, palette, solid_stops
from medgemma_dash.figures.prompt_matrix_marks import (
    MatrixCell,
    Placed,
    decision_words,
    margin_bars,
)
from medgemma_dash.figures.prompt_matrix_room import (
    BELOW_PX,
    BESIDE_PX,
    TEXT_SIZE,
    Room,
    broken_title,
    room_for,
)
from medgemma_dash.figures.share_maps import share_of_mass
from medgemma_dash.figures.stretching import MapMode, stretched

# Points a cell and side of a smooth map, for so many maps at most: a figure stays below a megabyte.
POINTS = ((8, 4), (24, 3), (64, 2))


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
    room = room_for(row_titles, column_titles, ratio, room_px, tallest_px)
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
    middles = [room.left_of(column) + room.width / 2 for column in range(columns)]
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
            "tickvals": [room.top_of(row) + room.height / 2 for row in range(count)],
            "ticktext": [broken_title(title, room.left - BESIDE_PX) for title in row_titles],
            "range": [count * room.down, 0],
            "scaleanchor": "x",
            "scaleratio": 1,
            "constrain": "domain",
            "constraintoward": "top",
        },
        "images": images,
        "shapes": [
            *margin_bars(cells, room, colours),
            *(_frame(reference, room, "#ffffff") if reference is not None else []),
            *(_frame(selected, room, colours.accent) if selected is not None else []),
        ],
        "annotations": [
            *decision_words(cells, room, colours),
            bar_label("0" if not signed else f"{peak:.1%} against", 0.0, "left", dark),
            bar_label(f"{peak:.1%} of a map's relevance", 1.0, "right", dark),
        ],
    }
    return unchecked_figure(traces, layout)


def _maps(
    cells: Sequence[Placed],
    room: Room,
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
            place = {"x": room.left_of(column), "y": room.top_of(row)}
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
    x, x_at = _centres([column for _, column, _ in shares], columns, room.width, room.left_of)
    y, y_at = _centres([row for row, _, _ in shares], rows, room.height, room.top_of)
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
    places: Sequence[int], count: int, length: float, start: Callable[[int], float]
) -> tuple[npt.NDArray[np.float64], dict[int, int]]:
    """Where the points of the maps at these places lie on an axis, an empty one beyond either end
    of each, and where among them each map begins.
    """
    step = length / count
    centres: list[float] = []
    begins = {}
    for place in sorted(set(places)):
        begins[place] = len(centres) + 1
        centres += [start(place) + (at + 0.5) * step for at in range(-1, count + 1)]
    return np.array(centres), begins


def _hover(cells: Sequence[Placed], room: Room) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [room.left_of(column) + room.width / 2 for _, column, _ in cells],
        "y": [room.top_of(row) + room.height / 2 for row, _, _ in cells],
        "mode": "none",
        "hovertext": ["<br>".join(cell.hover) for _, _, cell in cells],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "showlegend": False,
    }


def _frame(cell: Cell, room: Room, colour: str) -> list[dict[str, Any]]:
    row, column = cell
    left, top = room.left_of(column), room.top_of(row)
    box = {"x0": left, "x1": left + room.width, "y0": top, "y1": top + room.height}
    return framed([box], colour=colour, width=2.0)
