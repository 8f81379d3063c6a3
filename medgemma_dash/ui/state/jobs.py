"""The jobs that a session waits for, by the keys of their tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import streamlit as st

from medgemma_dash.services.runtime.queue import ABANDONED

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.services.runtime.job import Job
    from medgemma_dash.services.runtime.task import Task

T = TypeVar("T")

# A click on the demo model takes less; only longer work gets a progress line.
PATIENCE_SECONDS = 0.6
GLANCE_SECONDS = 0.05
LOOKED_FOR = "a newer run"


@dataclass(frozen=True, eq=False)
class Awaited(Generic[T]):
    """A job, its task, and what it was asked for: as its page knows it again."""

    job: Job[T]
    task: Task[T]
    about: Any


class Jobs:
    """The newest job of each key, from when it was asked for until its result is taken over.

    owner: a random name under which they run; it says nothing about the user.
    """

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._awaited: dict[str, Awaited[Any]] = {}

    def run(
        self, host: ModelHost, task: Task[T], about: object = None, *, patient: bool = False
    ) -> Job[T]:
        """Have a task run in the place of an earlier one with its key.

        patient: wait a moment for it, so that what is quick never shows a progress line.
        """
        job = host.run(self._owner, task)
        self._awaited[task.key] = Awaited(job, task, about)
        if patient:
            _wait_a_moment(job)
        return job

    def ensure(self, host: ModelHost, task: Task[T], about: object) -> Job[T]:
        """The job about this, whatever became of it; it is run if there is none, patiently.

        One that ended because its page was left is run again: nobody wanted it to end.
        """
        held = self._awaited.get(task.key)
        if held is None or held.about != about or was_left(held.job):
            return self.run(host, task, about, patient=True)
        return held.job

    def resume(self, host: ModelHost, *keys: str) -> None:
        """Run those again that ended because their page was left: it is here, after all.

        A browser that has too much to do asks for nothing for minutes, and so does one asleep.
        """
        for key in keys:
            held = self._awaited.get(key)
            if held is not None and was_left(held.job):
                self._awaited[key] = replace(held, job=host.run(self._owner, held.task))

    def get(self, key: str) -> Job[Any] | None:
        """The job with this key."""
        held = self._awaited.get(key)
        return None if held is None else held.job

    def about(self, key: str) -> Any:
        """What the job with this key was asked for; None without one."""
        held = self._awaited.get(key)
        return None if held is None else held.about

    def take(self, key: str) -> Awaited[Any] | None:
        """The job with this key, once it has finished; it is no longer waited for then."""
        held = self._awaited.get(key)
        if held is None or not held.job.finished:
            return None
        return self._awaited.pop(key)

    def drop(self, key: str) -> None:
        """Wait no longer for the job with this key; it is cancelled."""
        held = self._awaited.pop(key, None)
        if held is not None:
            held.job.cancel()

    def drop_all(self) -> None:
        """Wait for nothing any more."""
        for key in list(self._awaited):
            self.drop(key)

    def unfinished(self, *without: str) -> tuple[Job[Any], ...]:
        """Every job that is still under way. without: but for those with these keys."""
        jobs = [held.job for key, held in self._awaited.items() if key not in without]
        return tuple(job for job in jobs if not job.finished)

    def __contains__(self, key: str) -> bool:
        return key in self._awaited


def _wait_a_moment(job: Job[Any]) -> None:
    """Until it has finished or patience is at its end; what the reader does meanwhile goes first.

    The session's state has to be whole here, for the run of the page may end here.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not job.wait(GLANCE_SECONDS) and time.monotonic() < deadline:
        _ = LOOKED_FOR in st.session_state  # where Streamlit ends a run, if a newer one waits


def was_left(job: Job[Any]) -> bool:
    """Whether it ended because the page was left."""
    return job.error is not None and str(job.error) == ABANDONED
