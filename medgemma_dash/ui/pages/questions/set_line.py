"""The page's first line: which set it is about, what was asked of it, and the ways to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.counted import counted
from medgemma_dash.ui.components.subject_line import Part, subject_line
from medgemma_dash.ui.pages.questions.runs import run_list
from medgemma_dash.ui.pages.questions.state import QuestionsState
from medgemma_dash.ui.pages.questions.table_opening import table_opener
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.questions.given import GivenSet
    from medgemma_dash.services.runtime.host import ModelHost


def set_line(host: ModelHost, elsewhere: Record | None) -> None:
    """Draw it. elsewhere: the record that was opened from a file, which the page is about then."""
    state = page_state(QuestionsState)
    with st.container(horizontal=True, key="subject", vertical_alignment="center", gap="small"):
        subject_line(_parts(host, state, elsewhere), "", "")
        if elsewhere is not None:
            return
        runs = st.popover(
            "Runs",
            key=f"questions_runs_{state.opened}",
            icon=":material/history:",
            type="tertiary",
            on_change="rerun",
        )
        if runs.open:
            with runs, st.container(key="questions_runs_list", width=720):
                run_list(host)
        # Another set closes it, for its key is another one then.
        opener = st.popover(
            "Open a table",
            key=opener_key(state),
            icon=":material/table:",
            type="tertiary",
            on_change="rerun",
        )
        if opener.open:
            with opener, st.container(key="questions_opener", width=560):
                table_opener()


def opener_key(state: QuestionsState) -> str:
    """Of the popover in which another table is chosen: it tells whether that is open."""
    return f"questions_opener_{state.opened}"


def _about(given: GivenSet) -> str:
    return f"{counted(len(given.rows), 'question')} about {counted(given.images, 'image')}"


def _parts(host: ModelHost, state: QuestionsState, elsewhere: Record | None) -> list[Part]:
    record, given = elsewhere or state.record, state.given
    if elsewhere is not None:
        rows, images = len(elsewhere.tables["rows"]), len(elsewhere.provenance.images)
        parts = [
            Part("film", "A set of questions"),
            Part("question", f"{counted(rows, 'row')} about {counted(images, 'image')}"),
        ]
    elif given is not None:
        parts = [
            Part("film", given.title),
            Part("question", _about(given)),
        ]
    else:
        return []
    if record is not None:
        facts = record.provenance
        some = len(record.tables["rows"]) if record.plan.get("selected") else 0
        asked = f"{counted(some, 'selected row')} asked, " if some else ""
        maps = "with maps" if record.plan.get("maps") else "without maps"
        parts += [
            Part("method", f"{asked}{maps}"),
            Part("model", "demo model" if facts.is_demo else facts.model_name),
        ]
    elif host.state == "ready":
        parts.append(Part("model", "demo model" if host.model.is_demo else host.model.name))
    return parts
