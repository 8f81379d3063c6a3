"""The Question Sets page: how often the model is right, and whether it would be without image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.services.questions.given import example_set
from medgemma_dash.services.questions.kept_runs import kept_run, runs_folder
from medgemma_dash.services.questions.plan import KIND
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.record_frame import computed_elsewhere, record_files
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.subject import keep_address
from medgemma_dash.ui.pages.questions.browse import browse
from medgemma_dash.ui.pages.questions.progress import run_progress
from medgemma_dash.ui.pages.questions.row_opening import open_clicked_row
from medgemma_dash.ui.pages.questions.runs import go_on
from medgemma_dash.ui.pages.questions.scores import show_questions_record
from medgemma_dash.ui.pages.questions.set_line import opener_key, set_line
from medgemma_dash.ui.pages.questions.state import (
    BODY,
    QuestionsState,
    runs_under_way,
    take_record,
    try_to,
)
from medgemma_dash.ui.state.collecting import collect
from medgemma_dash.ui.state.records import opened_record
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost

PROBLEM, BROWSING = "questions_problem", "questions_browsing"


def questions_page(host: ModelHost) -> None:
    """Draw the page; it opens with the example set, and with its newest run."""
    collect(current_session(), explanation=False)
    state = page_state(QuestionsState)
    elsewhere = opened_record(KIND)
    if elsewhere is None and state.given is None:
        state.open(example_set())
    take_record()
    address = current_session().address
    keep_address()
    set_line(host, elsewhere)
    notice_line()
    _body(host, address)
    st.caption(RESEARCH_NOTICE)


@st.fragment(key=BODY)
def _body(host: ModelHost, address: dict[str, str]) -> None:
    state = page_state(QuestionsState)
    elsewhere = opened_record(KIND)
    open_clicked_row(elsewhere, address)
    _problem_line()
    if elsewhere is not None:
        computed_elsewhere(elsewhere)
        show_questions_record(elsewhere, finished=True)
        record_files(elsewhere)
        return
    record = _record(host)
    if record is None or state.browsing:
        browse(host, asked=record is not None)
        return
    done = state.record is not None
    show_questions_record(record, finished=done)
    if done:
        with st.container(horizontal=True, vertical_alignment="center", key="questions_foot"):
            record_files(record)
            _browse_again()


def _record(host: ModelHost) -> Record | None:
    """Of the run that is shown: whole, or of the rows that are done so far; None without one."""
    take_record()
    state = page_state(QuestionsState)
    if state.record is not None:
        return state.record
    run = runs_under_way().get(state.run)
    if run is None:
        return None
    if run.job.finished:
        kept = kept_run(runs_folder() / state.run)
        done, of = (0, 0) if kept is None else (kept.done, kept.about.to_ask)
        _ended_line(host, str(run.job.error), done, of)
        return run.so_far()
    record = run.so_far()
    run_progress(run)
    return record


def _ended_line(host: ModelHost, reason: str, done: int, of: int) -> None:
    """Why a run stands still, and a way to go on."""

    def choose() -> None:
        if chosen_action("questions_ended") == "on":
            try_to(lambda: go_on(host, page_state(QuestionsState).run))

    line = [
        Segment(f"{reason} {done:,} of {of:,} rows are done and kept. "),
        Segment("go on", "action", "on"),
    ]
    rich_line([line], key="questions_ended", tone="caution", announce="status", on_choose=choose)


def _problem_line() -> None:
    state = page_state(QuestionsState)
    # Where a table is being chosen it is said there.
    if (problem := state.problem) and not st.session_state.get(opener_key(state)):
        rich_line([[Segment(problem)]], key=PROBLEM, tone="error", announce="alert")


def _browse_again() -> None:
    def choose() -> None:
        if chosen_action(BROWSING) == "browse":
            page_state(QuestionsState).browsing = True

    line = [Segment("ask other rows of this table", "action", "browse")]
    rich_line([line], key=BROWSING, tone="quiet", on_choose=choose)
