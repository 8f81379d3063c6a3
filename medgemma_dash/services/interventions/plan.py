"""What is asked of an intervention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from medgemma_dash.core.errors import TargetError, quoted
from medgemma_dash.core.record import Asked

if TYPE_CHECKING:
    import numpy.typing as npt

KIND = "interventions"
COPIES = 10  # of the selection, displaced, that are removed or kept as well
MAX_NEW_TOKENS = 256
LONGEST_SIDE = 512  # of a grid of patches; MedGemma's is 16

How = Literal["remove", "keep"]
Cell = tuple[int, int]


@dataclass(frozen=True)
class InterventionPlan:
    """Cells of one image removed, or all others of it.

    cells: (row, column) of the selection, row by row, of a grid (rows, columns). image: which of
    the answer's radiographs, from 0; the others are left as they are. removal: of
    `core.removals.REMOVALS`. donor: sha256 of the radiograph whose soft tokens are put in place, ""
    where none is. target: `core.target.Target` as a dict: whose map, by which method, the selection
    is scored against. copies: at most so many displaced selections are removed or kept as well.
    max_new_tokens: of an answer that is generated anew.
    """

    asked: Asked
    how: How
    cells: tuple[Cell, ...]
    grid: tuple[int, int]
    image: int
    removal: str
    donor: str
    target: dict[str, Any]
    method: str
    options: dict[str, str]
    copies: int
    max_new_tokens: int


def checked_selection(mask: object, grid: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """A selection of cells; raises TargetError for another shape, none of them, and all."""
    chosen = np.asarray(mask)
    if chosen.dtype != np.bool_ or chosen.shape != grid:
        raise TargetError(
            f"The selection is {chosen.dtype} of shape {chosen.shape}. Give a bool array of the "
            f"image's {grid[0]} x {grid[1]} patches."
        )
    if problem := selection_problem(int(chosen.sum()), chosen.size):
        raise TargetError(problem)
    return chosen


def selection_problem(count: int, cells: int) -> str:
    """Why so many of the cells cannot be removed or kept; "" where they can."""
    if count == 0:
        return "No patch is selected. Choose one at least to remove or to keep."
    if count == cells:
        return (
            "Every patch is selected: removing all of them is the blank image, and keeping all "
            "changes nothing. Leave some out; what the image as a whole gives to each word is its "
            "evidence."
        )
    return ""


def mask_of(cells: Sequence[Sequence[int]], grid: Sequence[int]) -> npt.NDArray[np.bool_]:
    """(rows, columns): these cells. Raises TargetError for a grid that is none, as a record made by
    hand may have it, and for a cell that is outside.
    """
    rows, cols = grid
    if not all(type(side) is int and 0 < side <= LONGEST_SIDE for side in grid):
        raise TargetError(f"{quoted([*grid])} is no grid of patches.")
    mask = np.zeros((rows, cols), np.bool_)
    for cell in cells:
        row, col = cell
        if (
            type(row) is not int
            or type(col) is not int
            or not (0 <= row < rows and 0 <= col < cols)
        ):
            raise TargetError(f"There is no patch {quoted([*cell])} in {rows} x {cols}.")
        mask[row, col] = True
    return mask


def cells_of(mask: npt.NDArray[np.bool_]) -> tuple[Cell, ...]:
    """The mask's cells, row by row."""
    return tuple((int(row), int(col)) for row, col in np.argwhere(mask))
