"""A place to drop a record; one that cannot be read changes nothing that is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import streamlit as st

from medgemma_dash.core.errors import CancelledError, ResultFileError
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.state.freeing import forget_upload
from medgemma_dash.ui.state.records import OpenedRecord, open_record, read_uploaded
from medgemma_dash.ui.state.session import LivesWith, current_session, page_state

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from medgemma_dash.core.record import Record

HELP = (
    "What an analysis ended in: its zip, or all files of its folder at once, up to 50 MB. It is "
    "shown without a model and without the radiograph. Files stay in this program's memory."
)


@dataclass(eq=False)
class RecordBox:
    """given: how often something was given. problem: why the last one was not opened."""

    lives_with: ClassVar[LivesWith] = "session"
    given: int = 0
    problem: str = ""


def record_box(on_open: Callable[[Record], None]) -> None:
    """Draw it; what was dropped is read and let go, and the record opened."""
    box = page_state(RecordBox)
    # Above the box, which may stand at the window's lower edge.
    above = st.container()
    with st.container(key="record_box"):
        # A new key each time empties the box, so that the same files can be given again.
        files = st.file_uploader(
            "Open a record (its zip, or the files of its folder)",
            accept_multiple_files=True,
            key=f"record_upload_{box.given}",
            help=HELP,
        )
    if not files:
        if box.problem:
            with above:
                rich_line(
                    [[Segment(box.problem)]], key="record_problem", tone="error", announce="alert"
                )
        return
    with st.spinner("Reading the record"):
        record = _read([(one.name, one.getvalue()) for one in files])
        # No earlier: a run that is overtaken must not leave the files for read.
        box.given += 1
        for one in files:
            forget_upload(one.file_id)  # what was read of them is here
    if record is not None:
        on_open(record)
    st.rerun()


def _read(files: Sequence[tuple[str, bytes]]) -> Record | None:
    """Open it; None, with the reason beside the box, where it cannot be."""
    box = page_state(RecordBox)
    try:
        record = read_uploaded(current_session(), files)
    except (ResultFileError, CancelledError) as error:
        kept = " The record before it is still open." if page_state(OpenedRecord).record else ""
        box.problem = f"This is not a record that can be opened: {error}{kept}"
        return None
    box.problem = ""
    open_record(record)
    return record
