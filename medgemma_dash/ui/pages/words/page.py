"""The Target Words page: where the model looks for words, said or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.services.words.plan import KIND
from medgemma_dash.services.words.tasks import words_task
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.record_frame import computed_elsewhere
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.subject import keep_address
from medgemma_dash.ui.components.word_choice import answered_study, word_choice
from medgemma_dash.ui.pages.words.asking import method_title, words_asked
from medgemma_dash.ui.pages.words.record import show_words
from medgemma_dash.ui.pages.words.state import METHOD, WordsState
from medgemma_dash.ui.state.methods import DEFAULT_METHOD
from medgemma_dash.ui.state.records import opened_record
from medgemma_dash.ui.state.session import current_session, page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.pages.words.state import WordsAsked
    from medgemma_dash.ui.state.study import Study

PART = "words_record"


def words_page(host: ModelHost) -> None:
    """Draw the page: an opened record, or the words of the open answer."""
    record = opened_record(KIND)
    if record is not None:
        keep_address()
        notice_line()
        computed_elsewhere(record)
        _opened(record)
    elif not _asked(host):
        return
    st.caption(RESEARCH_NOTICE)


def _asked(host: ModelHost) -> bool:
    """The words of the open answer; False while there is none."""
    method = widget_value(METHOD, DEFAULT_METHOD) if host.state == "ready" else ""
    opened = answered_study(host, method_title(method) if method else "")
    if opened is None:
        return False
    study, answered, target = opened
    word_choice(study, answered, "words_strip")
    _found(host, study, answered.answer, words_asked(answered.answer, target))
    return True


@st.fragment(key=PART)
def _opened(record: Record) -> None:
    asked = record.plan.get("asked")
    if isinstance(asked, dict):
        lines = [
            [Segment("Asked  ", "small"), Segment(str(asked.get("prompt", "")))],
            [Segment("Answered  ", "small"), Segment(str(asked.get("answer", "")), "word")],
        ]
        rich_line(lines, key="words_asked_elsewhere")
    show_words(record, current_session().study)


@st.fragment(key=PART)
def _found(host: ModelHost, study: Study, answer: Answer, asked: WordsAsked) -> None:
    """The record of what is asked; until it is there the one before it, and so where it fails."""
    state, key = page_state(WordsState), (answer.key, asked)
    # The line of progress has a place of its own: when it goes, nothing below moves.
    with st.container():
        if asked.words and key not in state.kept:
            task = words_task(
                answer,
                asked.words,
                asked.places,
                asked.method,
                dict(asked.options),
                asked.forced_after,
            )
            found = result_of(
                host, task, key, again="look again", problem="words_problem", part=PART
            )
            if found is not None:
                state.keep(key, found)
        known = state.kept.get(key)
        if known is not None:
            state.shown = answer.key, known
        elif state.shown is not None and state.shown[0] == answer.key:
            line = "Below: what was looked for before."
            rich_line([[Segment(line, "small")]], key="words_before", tone="quiet")
    if state.shown is not None and state.shown[0] == answer.key:
        show_words(state.shown[1], study)
