"""The zones as lines over the radiograph, along the borders of their cells."""

from collections.abc import Sequence
from typing import Any

from medgemma_dash.core.geometry import PatchGrid
from medgemma_dash.figures.palette import DARK

# A dark line below the light one: seen on bone and on air.
_HALO = {"color": "rgba(0,0,0,0.55)", "width": 2.5}
_LINE = {"color": "rgba(255,255,255,0.8)", "width": 1.2, "dash": "4px,3px"}
_LIT = {"color": DARK.accent, "width": 2.5}


def zone_outlines(
    cells: PatchGrid, zone_names: Sequence[Sequence[str]], *, every: bool, lit: Sequence[str]
) -> list[dict[str, Any]]:
    """Shapes: every zone's border if asked for, and the borders of the lit zones in the accent.

    zone_names: (rows, cols), "" outside of the zones. lit: names of zones.
    """
    shapes = []
    if every:
        border = _border(cells, [[(name,) if name else () for name in row] for row in zone_names])
        shapes += [_path(border, _HALO), _path(border, _LINE)]
    if lit:
        inside = [[(name,) if name in lit else () for name in row] for row in zone_names]
        shapes.append(_path(_border(cells, inside), _LIT))
    return [shape for shape in shapes if shape["path"]]


def _border(cells: PatchGrid, kinds: Sequence[Sequence[object]]) -> str:
    """An SVG path of all sides between cells of two kinds; () is also beyond the picture."""

    def kind(row: int, col: int) -> object:
        return kinds[row][col] if 0 <= row < cells.rows and 0 <= col < cells.cols else ()

    def at(row: int, col: int) -> str:
        return f"{col * cells.width / cells.cols:g},{row * cells.height / cells.rows:g}"

    sides = []
    for row in range(cells.rows + 1):
        for col in range(cells.cols + 1):
            if kind(row, col) != kind(row - 1, col):
                sides.append(f"M{at(row, col)}L{at(row, col + 1)}")
            if kind(row, col) != kind(row, col - 1):
                sides.append(f"M{at(row, col)}L{at(row + 1, col)}")
    return "".join(sides)


def _path(path: str, line: dict[str, Any]) -> dict[str, Any]:
    return {"type": "path", "path": path, "line": line}
