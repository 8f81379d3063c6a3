"""What the Explain page keeps for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medgemma_dash.ui.state.session import LivesWith

# Widgets that keep their value for the session (persist_state="session").
DRAWN_ZONES = "drawn_zones"
DRAG_WINDOW = "drag_window"


@dataclass(eq=False)
class ExplainState:
    """cell: the clicked cell (row, column) of the map."""

    lives_with: ClassVar[LivesWith] = "answer"
    cell: tuple[int, int] | None = None


@dataclass(eq=False)
class FilmState:
    """lit_zones: names of the zones that are lit on the film, the chosen rows of the zone table.
    chosen_rows: the same when the whole page was drawn last, which is when the table is made.
    """

    lives_with: ClassVar[LivesWith] = "study"
    lit_zones: tuple[str, ...] = ()
    chosen_rows: tuple[str, ...] = ()
