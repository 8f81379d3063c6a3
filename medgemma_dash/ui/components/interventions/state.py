"""What the dialog of interventions keeps, for as long as the answer is on screen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.core.target import Target
from medgemma_dash.ui.state.session import LivesWith
from medgemma_dash.ui.state.study import Choice

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.interventions.plan import Cell, How

RECORDS_KEPT = 32


@dataclass(frozen=True)
class Asked:
    """What is done to which cells, and the map that they are scored against."""

    cells: tuple[Cell, ...]
    how: How
    removal: str
    target: Target
    made_by: Choice


@dataclass(eq=False)
class InterventionState:
    """opened: the page on which the dialog is open, "" where it is not. cells: the selection, row
    by row; None until it is first shown. records: what was found, by what was asked. latest: what
    was asked for that was found last.
    """

    lives_with: ClassVar[LivesWith] = "answer"
    opened: str = ""
    cells: tuple[Cell, ...] | None = None
    records: dict[Asked, Record] = field(default_factory=dict)
    latest: Asked | None = None

    def keep(self, asked: Asked, record: Record) -> None:
        """The oldest goes when there are many."""
        while len(self.records) >= RECORDS_KEPT:
            self.records.pop(next(iter(self.records)))
        self.records[asked] = record
        self.latest = asked
