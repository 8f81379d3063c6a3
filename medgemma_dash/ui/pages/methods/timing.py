"""What each method costs on this machine, measured on demand with the open answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import streamlit as st

from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.tasks import TIME, timing_task
from medgemma_dash.ui.components.job_watch import watch
from medgemma_dash.ui.components.rich_line import Segment, reason_line, rich_line
from medgemma_dash.ui.state.host import method_seconds
from medgemma_dash.ui.state.methods import method_words
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medgemma_dash.services.explaining.steps import MethodOutcome
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.services.runtime.job import Job


def time_methods(host: ModelHost) -> None:
    """A button, or the progress of what it began; and why methods could not be timed."""
    session = current_session()
    job = session.jobs.get(TIME)
    if job is not None and not job.finished:
        watch(TIME)
        return
    answered = session.answered is not None and session.answered.target is not None
    st.button(
        "Time every method",
        key="time_methods",
        type="tertiary",
        on_click=_begin,
        args=(host,),
        disabled=not answered,
        help="Runs each method once on the chosen word of the open answer; those that run the "
        "model many times take seconds."
        if answered
        else "Needs an answer: open the Explain page first.",
    )
    if not answered:
        # A hint that only a mouse can call up is not enough for a button that cannot be pressed.
        line = "Timing needs an answer: ask a question on the Explain page first."
        rich_line([[Segment(line, "small")]], key="timing_needs", tone="quiet")
    if job is not None:
        _untimed(job)


def _untimed(job: Job[None]) -> None:
    """Which methods gave no map, and why; and what ended the job before its end."""
    outcomes = cast("Sequence[MethodOutcome]", job.events)
    lines = [
        reason_line(method_words(one.method, one.options), one.reason)
        for one in outcomes
        if one.reason
    ]
    if job.error is not None:
        lines.append([Segment(f"{job.error} What was timed before is kept.", "small")])
    if lines:
        rich_line(lines, key="untimed", tone="quiet", announce="status")


def _begin(host: ModelHost) -> None:
    session = current_session()
    answered = session.answered
    if answered is None or answered.target is None:
        return
    index = answered.target.token_indices[0]
    target = Target("token", (index,), answered.answer.tokens[index].text)
    session.jobs.run(host, timing_task(answered.answer, target, method_seconds()))
