"""The runs that this process is at work on, whoever began them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from medgemma_dash.services.questions.record import record_so_far

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record, RecordProvenance
    from medgemma_dash.services.questions.journal import Outcome
    from medgemma_dash.services.questions.question_set import QuestionSet
    from medgemma_dash.services.runtime.job import Job

GROWTH = 1.15  # from one look at the scores to the next: over a whole run they cost a few times all
MOST_LIVE = 3000  # rows beyond which scores take seconds


@dataclass(eq=False)
class RunUnderWay:
    """A run that computes, and the rows that it has done; its worker adds to it.

    name: of its folder. first: how many rows were done when it began, or went on.
    """

    name: str
    questions: QuestionSet
    facts: RecordProvenance
    outcomes: list[Outcome] = field(default_factory=list)
    _job: Job[Record] | None = None
    _so_far: Record | None = None
    _rows: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def job(self) -> Job[Record]:
        """What computes it."""
        if self._job is None:
            raise ValueError("The run has not begun.")
        return self._job

    def belongs_to(self, job: Job[Record]) -> None:
        """Say what computes it."""
        self._job = job

    def add(self, outcome: Outcome) -> None:
        """A row is done."""
        self.outcomes.append(outcome)

    @property
    def has_news(self) -> bool:
        """Whether so many more rows are done that the scores are worth another look."""
        return self._next() > self._rows

    def so_far(self) -> Record | None:
        """The record of the rows that are done: the last are left out until there are more, or
        the run has ended.
        """
        with self._lock:
            rows = self._next()
            if rows > self._rows:
                self._so_far = record_so_far(self.facts, self.questions, self.outcomes[:rows])
                self._rows = rows
            return self._so_far

    def _next(self) -> int:
        done = min(len(self.outcomes), MOST_LIVE)
        if self._job is not None and self._job.finished:
            return done
        return done if done >= max(self._rows + 1, GROWTH * self._rows) else self._rows


class RunsUnderWay:
    """By the names of their folders. Safe to use from any thread."""

    def __init__(self) -> None:
        self._runs: dict[str, RunUnderWay] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> RunUnderWay | None:
        """The run in this folder, also when it has ended, until another one takes its place."""
        with self._lock:
            return self._runs.get(name)

    def put(self, run: RunUnderWay) -> None:
        """Know a run that has begun."""
        with self._lock:
            self._runs[run.name] = run

    def drop(self, name: str) -> None:
        """End a run, if it is at work, and know it no more."""
        with self._lock:
            run = self._runs.pop(name, None)
        if run is not None:
            run.job.cancel()

    def active(self) -> list[RunUnderWay]:
        """Those that compute, or wait for their turn."""
        with self._lock:
            return [run for run in self._runs.values() if not run.job.finished]
