"""Progress of what the session waits for: polled, with queue position and a way to cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.state.host import spare_collector
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.services.runtime.job import Job

from typing import TYPE_CHECKING, Any

from medgemma_dash.ui.components.rich_line import chosen_action

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.services.runtime.job import Job

POLL_SECONDS = 0.4
STREAM_SECONDS = 0.25


def describe(job: Job[Any], detail: str = "") -> str:
    """Where a job stands, in words; the detail belongs to its name."""
    name = f"{job.label} {detail}".strip()
    if job.queue_position > 0:
        return f"{name} · waiting, {job.queue_position} in line"
    if job.stopping:
        return f"{name} · stopping"
    done, total = job.progress
    return f"{name} · {done} of {total}" if total else name


@st.fragment(run_every=STREAM_SECONDS)
def answer_stream(host: ModelHost) -> None:
    """The answer as it is being said; hands over to the page when it is complete."""
    session = current_session()
    job = session.asking
    if job is None or job.finished:
        st.rerun()
    job.heartbeat()
    spare_collector(host)
    said = "".join(getattr(event, "text", "") for event in job.events)
    rich_line([[Segment(said or "…", "plain" if said else "quiet")]], key="stream", tone="speech")
    waiting = host.state == "loading" and not job.finished
    state = f"{job.label} when the model is loaded. {host.message}" if waiting else describe(job)
    line_with_cancel(job, "cancel_ask", state)


@st.fragment(run_every=POLL_SECONDS)
def explanation_progress(host: ModelHost) -> None:
    """The explanation that is being computed."""
    session = current_session()
    pending = session.explaining
    if pending is None or pending.job.finished:
        st.rerun()
    pending.job.heartbeat()
    line_with_cancel(pending.job, "cancel_explain")


@st.fragment(run_every=POLL_SECONDS)
def filling_progress(host: ModelHost, by: str = "") -> None:
    """Explain every word: how many are done. by: the method, where another one is on screen."""
    filling = current_session().filling
    if filling is None or filling.job.finished:
        st.rerun()
    filling.job.heartbeat()
    line_with_cancel(filling.job, "cancel_fill", describe(filling.job, f"by {by}" if by else ""))


def line_with_cancel(job: Job[Any], key: str, state: str = "") -> None:
    """Where the job stands, and a way to end it. state: takes the place of `describe`."""
    line = [
        Segment(state or describe(job), "small"),
        Segment("  ", "small"),
        Segment("cancel", "action", "cancel"),
    ]
    rich_line([line], key=key, tone="quiet", announce="status", on_choose=lambda: _cancel(job, key))


def _cancel(job: Job[Any], key: str) -> None:
    if chosen_action(key) == "cancel":
        job.cancel()


def methods_done(job: Job[None]) -> str:
    """How many methods are done, and how far the one at work is."""
    state = describe(job)
    at_work = job.state == "running" and job.note and not job.stopping
    return f"{state} · now {job.note}" if at_work else state


LOADING_SECONDS = 1.0
