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
    """cell: the clicked cell (row, column) of the map. lit_zones: the chosen rows of the zones."""

    lives_with: ClassVar[LivesWith] = "answer"
    cell: tuple[int, int] | None = None
    lit_zones: tuple[str, ...] = ()
