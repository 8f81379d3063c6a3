"""What stands at a map of the prompt matrix: the decision in words, and its margin as a bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.figures.palette import Palette
from medgemma_dash.figures.prompt_matrix_room import (
    ABOVE_TEXT_PX,
    BAR_PX,
    BESIDE_LINE_PX,
    LINE_PX,
    TEXT_SIZE,
    Room,
)

SMALL_SIZE = 11
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


Placed = tuple[int, int, MatrixCell]


def margin_bars(cells: Sequence[Placed], room: Room, colours: Palette) -> list[dict[str, Any]]:
    """A track and a bar from its middle under every map."""
    most = max((abs(c.margin) for _, _, c in cells if np.isfinite(c.margin)), default=0.0) or 1.0
    shapes = []
    for row, column, cell in cells:
        left, top = room.left_of(column), room.top_of(row) + room.height + 3
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


def decision_words(cells: Sequence[Placed], room: Room, colours: Palette) -> list[dict[str, Any]]:
    """As many lines at each map as it has room for; "no map" where there is none."""
    texts = []
    for row, column, cell in cells:
        told = [
            *((word, TEXT_SIZE, colours.text) for word in _lines(cell, room)),
            (cell.small, SMALL_SIZE, colours.muted),
        ]
        middle, y = room.left_of(column) + room.width / 2, room.top_of(row)
        x, y = middle, y + room.height + BAR_PX + ABOVE_TEXT_PX
        if room.beside:
            x, y = middle + (room.width + room.beside) / 2 + 2, room.top_of(row)
        for line, (text, size, colour) in enumerate(told[: room.lines]):
            at = y + (line + 0.5) * (BESIDE_LINE_PX if room.beside else LINE_PX)
            texts.append((text, x, at, {"size": size, "color": colour}))
        if cell.image_map is None:
            y = room.top_of(row) + room.height / 2
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


def _lines(cell: MatrixCell, room: Room) -> tuple[str, ...]:
    """The decision in one line, or above each other where there is less room."""
    return (cell.verdict, cell.number) if room.beside else (f"{cell.verdict} {cell.number}",)
