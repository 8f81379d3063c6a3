"""A set's table before it is asked: looked through, filtered, and asked whole or in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.core.counted import counted
from medgemma_dash.services.questions.beginning import begin
from medgemma_dash.services.questions.kept_runs import kept_runs, runs_folder
from medgemma_dash.services.questions.question_set import PlanOptions
from medgemma_dash.services.questions.reading import problem_lines
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.pages.questions.grid import MOST_ROWS, row_grid
from medgemma_dash.ui.pages.questions.runs import go_on
from medgemma_dash.ui.pages.questions.state import (
    MAPS,
    QuestionsState,
    runs_under_way,
    try_to,
)
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.services.datasets.questions.rows import QuestionRow
    from medgemma_dash.services.questions.given import GivenSet
    from medgemma_dash.services.runtime.host import ModelHost

ROWS_IN_SIGHT = 14
UNFINISHED = "questions_unfinished"
NOTHING_ASKED = (
    "How often is the model right, and would it be without the image? Ask the set: each question "
    "is answered with its image, and its margin is read again with the image blanked and with one "
    "of the other truth in its place."
)
# A filter's name, and the row's field that it looks at.
FILTERS = {
    "Finding": "finding", "Strategy": "strategy", "Phrasing": "phrasing", "Truth": "truth",
}  # fmt: skip
EMPTY = "(none)"


def browse(host: ModelHost, *, asked: bool) -> None:
    """Draw it. asked: whether there is a record to go back to."""
    state = page_state(QuestionsState)
    given = state.given
    if given is None:
        return
    at_work = state.run and not asked and _at_work(state.run)
    if asked:
        _back()
    elif not at_work:
        rich_line([[Segment(NOTHING_ASKED)]], key="questions_unasked", tone="card")
        _unfinished(host, given)
    part_heading("The table's rows", "rows")
    chosen = _filtered(given, state.opened)
    if not at_work:
        _ask(host, given, chosen)
    _notes(given)
    if len(chosen) > MOST_ROWS:
        st.caption(
            f"The first {MOST_ROWS:,} of {len(chosen):,} rows; filter to see others. All of them "
            "are asked."
        )
    row_grid(_frame(chosen), rows_in_sight=ROWS_IN_SIGHT, key=f"{state.opened}_given")
    st.caption("A click on a row opens its image in Explain, with its question.")


def _unfinished(host: ModelHost, given: GivenSet) -> None:
    """A run of this set that was ended, by whatever: the rows that are done are kept."""
    ended = [
        run
        for run in kept_runs(runs_folder())
        if run.about.input == given.key and run.done and not run.finished
    ]
    run = next((run for run in ended if not _at_work(run.name)), None)
    if run is None or page_state(QuestionsState).run == run.name:
        return

    def choose() -> None:
        if chosen_action(UNFINISHED) == "on":
            try_to(lambda: go_on(host, run.name))

    said = f"A run of this set was ended; {run.done:,} of {run.about.to_ask:,} rows are kept. "
    # The page is drawn anew when the model is there.
    ready = host.state == "ready"
    line = [Segment(said), *([Segment("go on", "action", "on")] if ready else [])]
    rich_line([line], key=UNFINISHED, tone="note", announce="status", on_choose=choose)


def _at_work(name: str) -> bool:
    run = runs_under_way().get(name)
    return run is not None and not run.job.finished


def _filtered(given: GivenSet, opened: int) -> list[QuestionRow]:
    """The rows that the reader's filters leave."""
    rows = list(given.rows)
    with st.container(horizontal=True, key="questions_filters", vertical_alignment="bottom"):
        for title, name in FILTERS.items():
            values = sorted({getattr(row, name) or EMPTY for row in given.rows})
            if len(values) < 2:
                continue
            kept = st.multiselect(
                title,
                values,
                key=f"questions_{name}_{opened}",
                persist_state="session",
                placeholder="all",
            )
            if kept:
                rows = [row for row in rows if (getattr(row, name) or EMPTY) in kept]
        words = st.text_input(
            "Words in the question",
            key=f"questions_words_{opened}",
            persist_state="session",
            placeholder="any",
        )
    sought = words.strip().casefold()
    return [row for row in rows if sought in row.asked.casefold()] if sought else rows


def _ask(host: ModelHost, given: GivenSet, chosen: list[QuestionRow]) -> None:
    some = [row for row in chosen if row.can_be_asked]
    part = len(chosen) < len(given.rows)
    with st.container(
        horizontal=True, vertical_alignment="center", key="questions_ask", gap="small"
    ):
        ready = host.state == "ready"
        if part:
            st.button(
                "Ask this row" if len(some) == 1 else f"Ask these {len(some):,} rows",
                key="questions_ask_some",
                type="primary",
                disabled=not (some and ready),
                on_click=_begin,
                args=(host, tuple(row.row for row in chosen)),
            )
        st.button(
            _ask_all_words(given.can_be_asked),
            key="questions_ask_all",
            type="secondary" if part else "primary",
            disabled=not (given.can_be_asked and ready),
            on_click=_begin,
            args=(host, ()),
        )
        st.toggle(
            "with a map of each decision",
            value=True,
            key=MAPS,
            persist_state="session",
            help="A Chefer map of what moved the margin of yes and no, for each row: whether maps "
            "move where answers flip is told by them. Without them a run is quicker.",
        )
        if host.state == "loading":
            st.caption("The model is loading; it can be asked in a moment.")
        elif host.state == "failed":
            rich_line([[Segment(f"There is no model to ask. {host.message}")]],
                      key="questions_no_model", tone="caution")  # fmt: skip


def _ask_all_words(count: int) -> str:
    return "Ask the one question" if count == 1 else f"Ask all {count:,} questions"


def _begin(host: ModelHost, selected: tuple[int, ...]) -> None:
    state = page_state(QuestionsState)
    given = state.given
    if given is None:
        return
    options = PlanOptions(maps=bool(st.session_state.get(MAPS, True)), selected=selected)

    def ask() -> None:
        state.show_run(begin(host, runs_under_way(), runs_folder(), given, options).name)

    try_to(ask)


def _notes(given: GivenSet) -> None:
    """What is wrong with rows, and how the file was read."""
    problems = list(problem_lines([(row.row, row.problem) for row in given.rows]))
    if given.table.encoding == "cp1252":
        line = (
            "The table is not UTF-8 and was read as Windows-1252, as Excel writes it in the West."
        )
        rich_line([[Segment(line, "small")]], key="questions_encoding")
    if not problems:
        return
    count = sum(bool(row.problem) for row in given.rows)
    cannot = len(given.rows) - given.can_be_asked
    with st.popover(
        f"{counted(count, 'row')} with a problem, {cannot:,} of them cannot be asked",
        key="questions_problems",
        type="tertiary",
    ):
        rich_line([[Segment(line, "small")] for line in problems], key="questions_problem_lines")


def _frame(rows: list[QuestionRow]) -> pd.DataFrame:
    """Empty columns are left out."""
    shown = rows[:MOST_ROWS]
    names = ("row", "asked", "finding", "strategy", "phrasing", "image", "truth", "problem")
    table = pd.DataFrame({name: [getattr(row, name) for row in shown] for name in names})
    empty = [name for name in ("strategy", "problem") if not table[name].astype(bool).any()]
    return table.drop(columns=empty)


def _back() -> None:
    def choose() -> None:
        if chosen_action("questions_back") == "back":
            page_state(QuestionsState).browsing = False

    rich_line(
        [[Segment("back to the scores", "action", "back")]],
        key="questions_back",
        tone="quiet",
        on_choose=choose,
    )
