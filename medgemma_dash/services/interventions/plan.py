"""What is asked of an intervention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.record import Asked

if TYPE_CHECKING:
    import numpy.typing as npt

KIND = "interventions"
COPIES = 10  # of the selection, displaced, that are removed or kept as well
MAX_NEW_TOKENS = 256

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


def mask_of(cells: Sequence[Sequence[int]], grid: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(rows, columns): these cells. Raises TargetError for one that is outside."""
    mask = np.zeros(grid, np.bool_)
    for row, col in cells:
        if not (0 <= row < grid[0] and 0 <= col < grid[1]):
            raise TargetError(f"There is no patch ({row}, {col}) in {grid[0]} x {grid[1]}.")
        mask[row, col] = True
    return mask


def cells_of(mask: npt.NDArray[np.bool_]) -> tuple[Cell, ...]:
    """The mask's cells, row by row."""
    return tuple((int(row), int(col)) for row, col in np.argwhere(mask))
