"""How much room each map of the prompt matrix has, and what stands at it there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medgemma_dash.figures.cell_room import LETTER
from medgemma_dash.figures.lettering import broken
from medgemma_dash.figures.words import plain

TEXT_SIZE, LINE_PX = 12, 15
BESIDE_LINE_PX, BAR_PX, ABOVE_TEXT_PX = 13, 4, 4
BESIDE_PX, BELOW_PX, GAP_PX = 12, 40, 8
LARGEST_PX, SMALLEST_PX = 220, 26
ROOMY_PX, BAR_ONLY_PX = 84, 8
LONGEST_TITLE = 40
# What stands at a map: pixels of a strip below it (a bar and lines of text) and of one at its right
# (lines alone), and how wide and high the map has to be for that. Of those that have room the one
# with the largest maps is taken.
STRIPS = ((42, 0, 60, 0), (26, 0, 56, 0), (8, 36, 0, 36), (8, 0, 0, 0))


Told = Literal["all", "decision", "nothing"]


@dataclass(frozen=True)
class Room:
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
    def lines(self) -> int:
        """How many lines of text stand at a map."""
        if self.beside:
            return int(self.height // BESIDE_LINE_PX)
        return max(0, (self.below - BAR_PX - ABOVE_TEXT_PX) // LINE_PX)

    @property
    def tells(self) -> Told:
        """What those lines have room for: the decision, which beside a map takes two, and one
        thing more.
        """
        decision = 2 if self.beside else 1
        if self.lines < decision:
            return "nothing"
        return "decision" if self.lines == decision else "all"

    @property
    def across(self) -> float:
        """From one map to the next."""
        return self.width + self.beside + GAP_PX

    @property
    def down(self) -> float:
        """From one row of maps to the next."""
        return self.height + self.below + GAP_PX

    def left_of(self, column: int) -> float:
        """Where the maps of a column begin."""
        return column * self.across + GAP_PX / 2

    def top_of(self, row: int) -> float:
        """Where the maps of a row begin."""
        return row * self.down + GAP_PX / 2


def room_for(
    row_titles: Sequence[str],
    column_titles: Sequence[str],
    ratio: float,
    room_px: int,
    tallest_px: int,
) -> Room:
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
            found.append(Room(height * ratio, height, below, beside, left, titles, top))
    # Text is worth more than size where the maps are large anyway.
    return next((one for one in found if one.width >= ROOMY_PX), None) or _largest(found)


def _largest(rooms: Sequence[Room]) -> Room:
    """Of those with text, if there are any."""
    told = [one for one in rooms if one.below > BAR_ONLY_PX or one.beside]
    return max(told or rooms, key=lambda one: one.width)


def _column_titles(titles: Sequence[str], width: float) -> tuple[tuple[str, ...], int]:
    told = tuple(broken_title(title, width + GAP_PX) for title in titles)
    lines = max(title.count("<br>") + 1 for title in told) if any(told) else 0
    return told, lines * LINE_PX + 6


def broken_title(title: str, width: float) -> str:
    """A title in as many lines as it needs."""
    lines = broken(
        title[:LONGEST_TITLE], max(width, 1), lambda text: len(text) * LETTER * TEXT_SIZE
    )
    return "<br>".join(plain(line) for line in lines)
