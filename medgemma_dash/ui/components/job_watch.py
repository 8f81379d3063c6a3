"""Progress of what the session waits for: polled, with queue position and a way to cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ref

import streamlit as st

from medgemma_dash.core.progress import time_in_words
from medgemma_dash.services.explaining.tasks import ASK
from medgemma_dash.ui.components.redraw import draw_fragments
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.state.host import spare_collector
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.services.runtime.job import Job
    from medgemma_dash.services.runtime.task import Task

T = TypeVar("T")

POLL_SECONDS = 0.4
STREAM_SECONDS = 0.25
LOADING_SECONDS = 1.0
LEAST_LEFT = 10.0  # seconds; less is not worth a word


def describe(job: Job[Any], detail: str = "") -> str:
    """Where a job stands, in words; the detail belongs to its name."""
    state = f"{job.label} {detail}".strip()
    done, total = job.progress
    if job.queue_position > 0:
        state += f" · waiting, {job.queue_position} in line"
    elif job.stopping:
        return f"{state} · stopping"
    elif total:
        state += f" · {done:,} of {total:,}"
        left = job.seconds_left
        if left is not None and left >= LEAST_LEFT:
            state += f" · about {time_in_words(left)} left"
    at_work = job.state == "running" and job.note and not job.stopping
    return f"{state} · now {job.note}" if at_work else state


def watch(
    key: str,
    *,
    words: Callable[[Job[Any]], str] = describe,
    above: Callable[[Job[Any]], None] | None = None,
    news: Callable[[Job[Any]], bool] = lambda _job: False,
    seconds: float = POLL_SECONDS,
    draw_anew: Callable[[], None] = st.rerun,
) -> None:
    """A line that says where the session's job with this key stands, with a way to cancel it.

    It keeps the job alive, and has the page drawn anew when the job has finished, or when there
    is news of it; draw_anew: how, where less than the page is enough. above: drawn over the line
    each time. The line's key is "cancel_" and the key.
    """

    def poll() -> None:
        job = current_session().jobs.get(key)
        if job is None or job.finished or news(job):
            draw_anew()
            return
        job.heartbeat()
        if above is not None:
            above(job)
        _line_with_cancel(job, f"cancel_{key}", words(job))

    # Streamlit knows a fragment by its name and place: another job at the same place is another
    # one, which the browser's timer for the job before does not ask for.
    poll.__qualname__ = f"watch {key}"
    st.fragment(poll, run_every=seconds)()


def result_of(
    host: ModelHost, task: Task[T], about: object, *, again: str, problem: str, part: str = ""
) -> T | None:
    """What a page's task found: once it has; until then its progress, or why it found nothing.

    about: the task is run anew when this is another than before. again: words of the action that
    runs it once more after a failure. problem: the key of the line that tells of one.
    part: the key of the fragment that calls this, which alone is drawn anew then.
    The result is handed out once, for the page to keep.
    """
    jobs = current_session().jobs
    job = jobs.ensure(host, task, about)
    if job.result is not None:
        jobs.drop(task.key)
    elif job.finished:
        _problem_line(str(job.error), again, problem, lambda: jobs.drop(task.key))
    elif part:
        watch(task.key, draw_anew=lambda: draw_fragments([part]))
    else:
        watch(task.key)
    return job.result


def answer_stream(host: ModelHost) -> None:
    """The answer as it is being said; hands over to the page when it is complete."""

    def said(job: Job[Any]) -> None:
        spare_collector(host)
        text = "".join(getattr(event, "text", "") for event in job.events)
        line = Segment(text or "…", "plain" if text else "quiet")
        rich_line([[line]], key="stream", tone="speech")

    def words(job: Job[Any]) -> str:
        waiting = host.state == "loading" and not job.finished
        return f"{job.label} when the model is loaded. {host.message}" if waiting else describe(job)

    watch(ASK, words=words, above=said, seconds=STREAM_SECONDS)


def _line_with_cancel(job: Job[Any], key: str, state: str) -> None:
    line = [Segment(state, "small"), Segment("  ", "small"), Segment("cancel", "action", "cancel")]
    shown = ref(job)  # Streamlit keeps the callback, and a job holds its result

    def choose() -> None:
        job = shown()
        if job is not None and chosen_action(key) == "cancel":
            job.cancel()

    rich_line([line], key=key, tone="quiet", announce="status", on_choose=choose)


def _problem_line(reason: str, words: str, key: str, again: Callable[[], None]) -> None:
    """Why there is no result, and a way to ask once more. words: of the action."""

    def choose() -> None:
        if chosen_action(key) == "again":
            again()

    line = [Segment(f"{reason} "), Segment(words, "action", "again")]
    rich_line([line], key=key, tone="caution", announce="status", on_choose=choose)
