"""What stands on and over single cells of a map: hover text, boxes, sides, and clicks on them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.core.numbers import number
from medgemma_dash.figures.palette import DARK
from medgemma_dash.figures.words import plain

Cell = tuple[int, int]

MOST_WORDS_IN_HOVER = 5
LONGEST_WORD = 18
HALO = "#000000"
COUNTED = "from 0"  # rows from the top, columns from the picture's left


def chosen_cells(points: Iterable[Mapping[str, Any]]) -> tuple[Cell, ...]:
    """The cells of the points that were chosen in a figure, in order, each once.

    Points without a cell (of another chart's selection, say) are passed over.
    """
    found: dict[Cell, None] = {}
    for point in points:
        data = point.get("customdata")
        if isinstance(data, list | tuple) and len(data) >= 2:
            found[int(data[0]), int(data[1])] = None
    return tuple(found)


def side_labels(
    laterality: str, *, size: int, colour: str, xref: str = "x", yref: str = "y"
) -> list[dict[str, Any]]:
    """R and L as annotations above the picture's upper corners, nothing when the side is unknown.

    Outside of the picture they cover nothing, burnt-in letters least of all, and they stay where
    they are when the reader zooms.
    """
    if laterality not in ("left", "right"):
        return []
    right_at_left = laterality == "left"
    return [
        {
            "text": f"<b>{'R' if at_left == right_at_left else 'L'}</b>",
            "xref": f"{xref} domain",
            "yref": f"{yref} domain",
            "x": 0 if at_left else 1,
            "y": 1,
            "xanchor": "left" if at_left else "right",
            "yanchor": "bottom",
            "showarrow": False,
            "font": {"size": size, "color": colour},
        }
        for at_left in (True, False)
    ]


def hover_text(
    cells: PatchGrid,
    row: int,
    col: int,
    image_map: Float[np.ndarray, "rows cols"] | None,
    zone_names: Sequence[Sequence[str]] | None,
    cell_words: Sequence[Sequence[Sequence[str]]] | None,
) -> str:
    """Where the cell lies, its raw value, its zone, and which answer words leaned on it."""
    y, x = cells.centre(row, col)
    lines = [f"row {row}, column {col} ({COUNTED})", f"pixel x {x:.0f}, y {y:.0f}"]
    facts = []
    if image_map is not None:
        facts.append(f"<b>{number(float(image_map[row, col]))}</b>")
    if zone_names is not None:
        facts.append(plain(zone_names[row][col]) or "outside the zones")
    if facts:
        lines.append(" · ".join(facts))
    words = [plain(word, LONGEST_WORD) for word in cell_words[row][col]] if cell_words else []
    words = [word for word in words if word][:MOST_WORDS_IN_HOVER]
    if words:
        # Short lines: a label wider than the room beside the pointer covers the map.
        lines.append(f"leaned on by <b>{words[0]}</b>")
        lines += [", ".join(words[at : at + 2]) for at in range(1, len(words), 2)]
    return "<br>".join(lines)


def has_peak(image_map: Float[np.ndarray, "rows cols"] | None) -> bool:
    """Whether there is a map, and anything in it."""
    return image_map is not None and bool(np.any(image_map))


def cell_boxes(
    cells: PatchGrid,
    image_map: Float[np.ndarray, "rows cols"] | None,
    signed: bool,
    selected: Sequence[Cell],
    mark_peak: bool,
) -> list[dict[str, Any]]:
    """White around the peak, accent around the cells that the reader chose; both on any theme,
    since a radiograph is dark. All dark lines come first: none crosses a light one.
    """

    def lines(places: Sequence[Cell]) -> list[dict[str, Any]]:
        boxes = [cells.box(*place) for place in places]
        return [{"x0": b.left, "x1": b.right, "y0": b.top, "y1": b.bottom} for b in boxes]

    peak: list[Cell] = []
    if mark_peak and has_peak(image_map):
        assert image_map is not None  # noqa: S101  it has a peak
        heights = np.abs(image_map) if signed else image_map
        peak.append(divmod(int(np.argmax(heights)), cells.cols))
    return framed(lines(peak), width=1.5) + framed(lines(selected), colour=DARK.accent)


def framed(
    boxes: Sequence[Mapping[str, float]], *, colour: str = "#ffffff", width: float = 2.5
) -> list[dict[str, Any]]:
    """Rectangles as shapes: light lines on dark ones, seen on every colour of a scale.

    boxes: x0, x1, y0, y1 of each.
    """
    lines = ({"color": HALO, "width": width + 2}, {"color": colour, "width": width})
    return [
        {"type": "rect", **box, "line": line, "fillcolor": "rgba(0,0,0,0)"}
        for line in lines
        for box in boxes
    ]
