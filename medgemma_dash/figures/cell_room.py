"""What text a cell of a matrix has room for: a number and its band, beside or below each other."""

from collections.abc import Sequence
from dataclasses import dataclass

# The least that a page's figure is wide in a phone's window, a tablet's and a wider one.
PHONE_PX, TABLET_PX, DESK_PX = 288, 600, 960
NUMBER_SIZES, BAND_SIZES = (13, 12, 11, 10, 9), (11, 10, 9)
NAME_SIZE, LONGEST_NAME = 12, 26
LETTER = 0.56  # of its size is a digit wide in the page's typeface, and in those it falls back to
AIR_PX = 4
JOIN = " to "


@dataclass(frozen=True)
class CellText:
    """number_size, band_size: of the letters; 0 where they have no room.

    lines: that a band takes: both ends in one, or each in its own.
    """

    number_size: int
    band_size: int
    lines: int


def cell_text(
    names: Sequence[str], numbers: Sequence[str], ends: Sequence[tuple[str, str]], room_px: int
) -> CellText:
    """For a square of `names`, in a figure that is so wide, with these texts in its cells."""
    names_px = max(len(name) for name in names) * LETTER * NAME_SIZE + 2 * AIR_PX
    cell_px = (room_px - names_px) / len(names) - AIR_PX
    number = _fitting(NUMBER_SIZES, max(map(len, numbers), default=0), cell_px)
    if not (number and ends):
        return CellText(number, 0, 0)
    joined = max(len(low) + len(JOIN) + len(high) for low, high in ends)
    if joined * LETTER * BAND_SIZES[0] <= cell_px:
        return CellText(number, BAND_SIZES[0], 1)
    stacked = max(len(end) for pair in ends for end in pair)
    size = _fitting(BAND_SIZES, stacked, cell_px)
    return CellText(number, size, 2 if size else 0)


def _fitting(sizes: Sequence[int], letters: int, cell_px: float) -> int:
    return next((size for size in sizes if letters * LETTER * size <= cell_px), 0)
