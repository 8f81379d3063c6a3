"""What the Explain page keeps for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medgemma_dash.ui.state.session import LivesWith


@dataclass(eq=False)
class ExplainState:
    """cell: the clicked cell (row, column) of the map."""

    lives_with: ClassVar[LivesWith] = "answer"
    cell: tuple[int, int] | None = None
