"""The Prompt Sensitivity page: the question in other words, about the film and changed copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.reports.records.prompts import LIMITS
from medgemma_dash.services.prompts.plan import KIND
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.record_frame import computed_elsewhere, record_files
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.subject import keep_address
from medgemma_dash.ui.components.word_choice import answered_study
from medgemma_dash.ui.pages.prompts.choice import no_rule_line, prompts_choice
from medgemma_dash.ui.pages.prompts.matrix import prompt_matrix
from medgemma_dash.ui.pages.prompts.numbers import prompt_numbers
from medgemma_dash.ui.pages.prompts.pair import FEWER_WORDS, MOST_WORDS, chosen_pair, words_of_pair
from medgemma_dash.ui.pages.prompts.state import PairState, PromptsState
from medgemma_dash.ui.state.methods import DEFAULT_METHOD, method_words
from medgemma_dash.ui.state.records import opened_record
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Study

RECORD = "prompts_record"


def prompts_page(host: ModelHost) -> None:
    """Draw what the open film's question came to, or the record that was opened from a file."""
    opened = opened_record(KIND)
    if opened is not None:
        keep_address()
        computed_elsewhere(opened)
    else:
        found = answered_study(host, _method_words(host))
        if found is None:
            return
        _, answered, _ = found
        question = answered.answer.prompt
        choice = page_state(PromptsState).choice(question)
        if choice is None:
            no_rule_line(question)
        prompts_choice(question)
    _record(host)
    st.caption(RESEARCH_NOTICE)


def _method_words(host: ModelHost) -> str:
    if host.state != "ready":
        return "Chefer, of the margin"
    session = current_session()
    asked = session.answered
    state = page_state(PromptsState)
    choice = None if asked is None else state.wanted.get(asked.answer.prompt)
    return f"{method_words(choice.method if choice else DEFAULT_METHOD, ())}, of the margin"


@st.fragment(key=RECORD)
def _record(host: ModelHost) -> None:
    session = current_session()
    opened = opened_record(KIND)
    if opened is not None:
        show_prompts(opened, session.study)
    elif session.study is not None and session.answered is not None:
        record = _computed(host, session.study, session.answered.answer.prompt)
        if record is not None:
            show_prompts(record, session.study)


def _computed(host: ModelHost, study: Study, question: str) -> Record | None:
    """The record that was asked for; till then, and where that fails, the one before."""
    state = page_state(PromptsState)
    choice = state.choice(question)
    if choice is None:
        return state.earlier(question)
    # A place of its own: what stands below does not move when the line of progress goes.
    with st.container():
        if choice not in state.records:
            found = result_of(
                host,
                choice.task(study.radiograph),
                choice,
                again="ask again",
                problem="prompts_problem",
                part=RECORD,
            )
            if found is not None:
                state.keep(choice, found)
        earlier = choice not in state.records and state.earlier(question) is not None
        if earlier:
            line = Segment("Below: what was asked before.", "small")
            rich_line([[line]], key="prompts_before", tone="quiet")
    return state.records.get(choice) or state.earlier(question)


def show_prompts(record: Record, study: Study | None) -> None:
    """A record of the kind "prompts"; no model is needed.

    study: the open film, which is drawn below the maps if it is the record's.
    """
    try:
        grid = page_state(PairState).show(record)
    except ResultFileError as error:
        rich_line([[Segment(str(error))]], key="prompts_unreadable", tone="error")
        return
    film = study if study is not None and study.radiograph.sha256 in _images(record) else None
    part_heading("Prompts and images", "prompts_matrix")
    first, *others = grid.lines or ("",)
    lines = [[Segment(first)], *([Segment(one, "small")] for one in others)]
    if opened_record(KIND) is record:
        lines.insert(0, [Segment(grid.baseline.prompt, "word")])
        if film is None:
            said = "Its radiograph is not open here: the maps stand without a film below them."
            lines.append([Segment(said, "small")])
    rich_line(lines, key="prompts_summary")
    with st.container(key="prompts_columns"):
        left, right = st.columns([58, 42], gap="medium")
    # Below a single row of maps is room that the column beside it has not.
    one_row = len(grid.perturbations) == 1
    with left:
        prompt_matrix(grid, film)
        if one_row:
            words_of_pair(grid, MOST_WORDS)
    with right:
        part_heading("The chosen pair", "prompts_pair")
        chosen_pair(grid, film, low=not one_row)
        if not one_row:
            words_of_pair(grid, FEWER_WORDS)
    part_heading("Numbers and files", "prompts_numbers")
    prompt_numbers(grid)
    with st.expander("What this does not show", key="prompts_limits"):
        st.text(LIMITS)
    record_files(record)


def _images(record: Record) -> tuple[str, ...]:
    return record.provenance.images
