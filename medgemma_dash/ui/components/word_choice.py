"""The open answer on the pages that look deeper into it: its words, to choose another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.services.explaining.tasks import ASK
from medgemma_dash.services.explaining.word_shares import image_shares, together
from medgemma_dash.ui.components.answer_words import (
    no_answer_line,
    runners_up_words,
    weighed_words,
)
from medgemma_dash.ui.components.demo_notice import demo_notice
from medgemma_dash.ui.components.job_watch import answer_stream
from medgemma_dash.ui.components.nothing_open import nothing_open
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.subject import subject
from medgemma_dash.ui.components.token_strip import TokenChoice, token_strip
from medgemma_dash.ui.components.wording import NOTHING_SAID
from medgemma_dash.ui.state.actions import select_words
from medgemma_dash.ui.state.methods import shown_method
from medgemma_dash.ui.state.opening import go_to_word, sample_if_empty
from medgemma_dash.ui.state.session import current_session
from medgemma_dash.ui.state.word_targets import said_something

if TYPE_CHECKING:
    from medgemma_dash.core.target import Target
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Study

EXPLAIN_PAGE = "pages/1_Explain.py"


def answered_study(host: ModelHost, method: str) -> tuple[Study, Answered, Target] | None:
    """What is open, its answer and the chosen word; None, and says what is awaited, till then.

    method: what made that which the page shows, as its first line says.
    """
    session = current_session()
    sample_if_empty(session)
    go_to_word(session, host)
    subject(host, method)
    notice_line()
    if session.study is None:
        nothing_open()
        return None
    demo_notice(host)
    if ASK in session.jobs:
        answer_stream(host)
        return None
    study, answered = session.study, session.answered
    if study is None or answered is None:
        no_answer_line(host, "This page looks into an answer, and nothing was asked yet.")
        if host.state == "ready":
            st.page_link(EXPLAIN_PAGE, label="Ask on the Explain page", icon=":material/chat:")
        return None
    if not said_something(answered.answer):
        rich_line([[Segment(NOTHING_SAID)]], key="nothing_said", tone="caution")
    return None if answered.target is None else (study, answered, answered.target)


def word_choice(study: Study, answered: Answered, key: str) -> None:
    """Draw the answer; a click chooses the word for every page."""
    answer, target = answered.answer, answered.target
    spec, options = shown_method(study)
    known = answered.store.tensor(spec.name, options)
    words = together(known.relevancy, known.filled, answer.units)
    weighed = weighed_words(answered)
    selected = None
    if target is not None and target.kind != "answer":
        selected = target.token_indices[0], target.token_indices[-1] + 1
    token_strip(
        answer.tokens,
        answer.words,
        key=key,
        generation=study.generation,
        selected=selected,
        measure=current_session().underline,
        image_shares=image_shares(answer, known.relevancy, known.filled),
        word_shares=image_shares(answer, *words),
        effects=weighed.effects,
        word_effects=weighed.words,
        word_marks=weighed.marks,
        runners_up=runners_up_words(answer),
        computed=tuple(index for index, filled in enumerate(known.filled) if filled),
        busy=False,
        note="",
        on_choose=_choose,
    )


def _choose(choice: TokenChoice) -> None:
    select_words(current_session(), None if choice.whole else (choice.start, choice.stop))
