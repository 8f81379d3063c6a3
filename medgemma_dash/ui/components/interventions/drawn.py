"""The patches that were drawn on the film: in a box, inside a line, or under a stroke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil, dist, isfinite
from typing import TYPE_CHECKING, Any

from medgemma_dash.figures import chosen_cells

if TYPE_CHECKING:
    from medgemma_dash.services.interventions.plan import Cell

Point = tuple[float, float]
CLOSED = 0.25  # a line whose ends are nearer than this share of its length goes around something
MOST_POINTS = 2_000


def drawn_cells(
    selection: Mapping[str, Any], size: tuple[int, int], grid: tuple[int, int]
) -> tuple[Cell, ...]:
    """What a selection in the film chooses, row by row.

    selection: as the browser tells it, in the radiograph's pixels. size: its width and height.
    grid: rows and columns of patches. Patches whose middle is enclosed; of a stroke that goes
    around nothing those under it too, and of a box that holds no middle those that it touches.
    """
    cells = set(chosen_cells(selection.get("points") or []))
    for line in map(_line, selection.get("lasso") or []):
        if len(line) > 1 and dist(line[0], line[-1]) >= CLOSED * _length(line):
            cells |= set(_under(line, size, grid))
    if not cells:
        for ends in map(_line, selection.get("box") or []):
            if len(ends) == 2:
                cells |= set(_within(ends[0], ends[1], size, grid))
    return tuple(sorted(cells))


def _line(shape: Any) -> list[Point]:
    """The points of a drawn shape; none of what is no shape."""
    if not isinstance(shape, Mapping):
        return []
    xs, ys = shape.get("x"), shape.get("y")
    if not isinstance(xs, Sequence) or not isinstance(ys, Sequence):
        return []
    line = list(zip(xs, ys, strict=False))[:MOST_POINTS]
    whole = all(type(one) in (int, float) and isfinite(one) for point in line for one in point)
    return line if whole else []


def _length(line: list[Point]) -> float:
    return sum(dist(one, other) for one, other in pairwise(line))


def _under(line: list[Point], size: tuple[int, int], grid: tuple[int, int]) -> Iterator[Cell]:
    """The patches on the line's way, which is gone in steps of at most a quarter of one."""
    step = min(size[0] / grid[1], size[1] / grid[0]) / 4
    for (x, y), (to_x, to_y) in pairwise(line):
        # No way is longer than across the film and back.
        count = max(1, ceil(min(dist((x, y), (to_x, to_y)) / step, 8 * sum(grid))))
        for at in range(count + 1):
            part = at / count
            cell = _cell((x + part * (to_x - x), y + part * (to_y - y)), size, grid)
            if cell is not None:
                yield cell


def _within(
    one: Point, other: Point, size: tuple[int, int], grid: tuple[int, int]
) -> Iterator[Cell]:
    xs, ys = sorted((one[0], other[0])), sorted((one[1], other[1]))
    for row in range(grid[0]):
        for col in range(grid[1]):
            left, right = col * size[0] / grid[1], (col + 1) * size[0] / grid[1]
            top, bottom = row * size[1] / grid[0], (row + 1) * size[1] / grid[0]
            if left < xs[1] and right > xs[0] and top < ys[1] and bottom > ys[0]:
                yield row, col


def _cell(point: Point, size: tuple[int, int], grid: tuple[int, int]) -> Cell | None:
    x, y = point
    if not (0 <= x < size[0] and 0 <= y < size[1]):
        return None
    return int(y * grid[0] / size[1]), int(x * grid[1] / size[0])
