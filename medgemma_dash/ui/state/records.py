"""The record that was opened from a file: its page shows it in place of the session's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from medgemma_dash.ui.state.session import LivesWith, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record


@dataclass(eq=False)
class OpenedRecord:
    """At most one in a session."""

    lives_with: ClassVar[LivesWith] = "session"
    record: Record | None = None


def opened_record(kind: str) -> Record | None:
    """The record that was opened from a file, if it is of this kind."""
    record = page_state(OpenedRecord).record
    return record if record is not None and record.kind == kind else None


def open_record(record: Record) -> None:
    """Have the page of its kind show it."""
    page_state(OpenedRecord).record = record


def close_record() -> None:
    """Have every page show what the session has again."""
    page_state(OpenedRecord).record = None
