"""The Faithfulness page: does the map tell the truth about the model?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.services.faithfulness.known import Known
from medgemma_dash.services.faithfulness.plan import KIND
from medgemma_dash.services.faithfulness.tasks import RECORD, faithfulness_record_task
from medgemma_dash.ui.components.interventions import intervention_button
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.record_frame import computed_elsewhere
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.subject import keep_address
from medgemma_dash.ui.components.word_choice import answered_study, word_choice
from medgemma_dash.ui.pages.faithfulness.choices import choices, chosen_methods
from medgemma_dash.ui.pages.faithfulness.record import asked_line, show_faithfulness
from medgemma_dash.ui.pages.faithfulness.shown import Live, Shown
from medgemma_dash.ui.pages.faithfulness.state import PART, FaithfulnessState, Wanted
from medgemma_dash.ui.state.methods import specs
from medgemma_dash.ui.state.records import opened_record
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Study

NOT_READABLE = (
    "This record's tables or plan are not those of its kind; docs/records.md says what stands in "
    "them. Close it, or open another."
)


def faithfulness_page(host: ModelHost) -> None:
    """Draw the page for the word that is chosen, or the record that was opened."""
    record = opened_record(KIND)
    if record is not None:
        keep_address()
        notice_line()
        computed_elsewhere(record)
        _opened(record)
        st.caption(RESEARCH_NOTICE)
        return
    opened = answered_study(host, _method_words(host))
    if opened is None:
        return
    study, answered, target = opened
    word_choice(study, answered, "faithfulness_strip")
    wanted = choices(answered.answer, target)
    if not wanted.methods or not wanted.removals:
        what = "removal" if wanted.methods else "method"
        line = f"Choose at least one {what} above."
        rich_line([[Segment(line, "quiet")]], key="nothing_to_test")
        return
    _tested(host, study, answered, wanted)
    _own_patches(host, answered)
    st.caption(RESEARCH_NOTICE)


def _own_patches(host: ModelHost, answered: Answered) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="own_patches"):
        intervention_button(host, "faithfulness")
        if answered.shown is not None:
            line = "Choose on the film what is taken away, and see what becomes of every word."
            rich_line([[Segment(line, "quiet")]], key="own_patches_say", tone="quiet")


def _method_words(host: ModelHost) -> str:
    """Whose maps are tested, for the first line; the methods are known with the model alone."""
    if host.state != "ready":
        return ""
    methods = chosen_methods()
    if len(methods) == 1:
        return next(one.title for one in specs() if one.name == methods[0])
    return f"{len(methods)} methods"


@st.fragment(key=PART)
def _opened(record: Record) -> None:
    study = current_session().study
    try:
        asked_line(record)
        show_faithfulness(Shown(record, study, None))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        rich_line([[Segment(NOT_READABLE)]], key="record_problem", tone="error", announce="alert")


@st.fragment(key=PART)
def _tested(host: ModelHost, study: Study, answered: Answered, wanted: Wanted) -> None:
    """The test that is asked for; until it is there its progress, and the one before."""
    state = page_state(FaithfulnessState)
    # Here, for they are asked for inside this part, which is then drawn anew alone.
    wanted = replace(wanted, sanity=wanted.checks in state.checked)
    if wanted in state.records:
        current_session().jobs.drop(RECORD)
        state.latest[wanted.target] = state.records[wanted]
    else:
        _await(host, study, answered, wanted, state)
    record = state.latest.get(wanted.target)
    if record is not None:
        show_faithfulness(Shown(record, study, Live(host, answered.answer, wanted)))


def _await(
    host: ModelHost, study: Study, answered: Answered, wanted: Wanted, state: FaithfulnessState
) -> None:
    known = state.known.setdefault(wanted.target, Known())
    task = faithfulness_record_task(
        answered.answer,
        wanted.target,
        wanted.methods,
        wanted.removals,
        sanity=wanted.sanity,
        known=known,
    )
    found = result_of(
        host,
        task,
        (study.generation, wanted),
        again="test again",
        problem="faithfulness_problem",
        part=PART,
    )
    if found is not None:
        state.records[wanted] = state.latest[wanted.target] = found
