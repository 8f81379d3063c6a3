"""A job as those see it who asked for it, and as the work sees it from inside."""

from typing import Generic, TypeVar, cast

from medgemma_dash.core.errors import CancelledError, MedGemmaDashError
from medgemma_dash.services.runtime.queue import ABANDONED, JobRecord, JobState, Line

T = TypeVar("T")
LEAST_SECONDS = 5.0  # before which what is left cannot be told


class Job(Generic[T]):
    """A piece of work given to the engine. Every member may be used from any thread.

    The engine forgets a job when it has finished; the result lives as long as the job.
    """

    def __init__(self, record: JobRecord, line: Line) -> None:
        self._record = record
        self._line = line

    @property
    def label(self) -> str:
        """What the job does, in words for the user."""
        return self._record.label

    @property
    def owner(self) -> str:
        """The session that asked for it."""
        return self._record.owner

    @property
    def state(self) -> JobState:
        """One of "queued", "running", "done", "failed", "cancelled".

        A job that is cut in steps is "running" from its first step on, between steps too.
        """
        return self._record.state

    @property
    def finished(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self._record.finished

    @property
    def stopping(self) -> bool:
        """Whether it was cancelled and has not come to a check yet."""
        return self._record.stop_reason is not None and not self._record.finished

    @property
    def queue_position(self) -> int:
        """0 while it is served or finished, 1 when it is next, and so on."""
        return self._line.position(self._record)

    @property
    def progress(self) -> tuple[int, int]:
        """(done, total); the total is 0 while it is unknown."""
        return self._record.progress

    @property
    def note(self) -> str:
        """What it is at just now, in words for the user; "" when it does not say."""
        return self._record.note

    @property
    def events(self) -> tuple[object, ...]:
        """What the work has emitted so far, oldest first; read on with `events[seen:]`."""
        with self._line.condition:
            return tuple(self._record.events)

    @property
    def result(self) -> T | None:
        """What the work returned, once the state is "done"."""
        return cast("T | None", self._record.result)

    @property
    def error(self) -> MedGemmaDashError | None:
        """Why it failed or was cancelled, without traceback."""
        return self._record.error

    @property
    def seconds(self) -> float:
        """Time spent working so far, without the time spent waiting in the line."""
        with self._line.condition:
            return _busy(self._record, self._line)

    @property
    def seconds_left(self) -> float | None:
        """By what was done since it began to count; None until that took a few seconds."""
        with self._line.condition:
            (done, total), (first, since) = self._record.progress, self._record.counted_from
            took = _busy(self._record, self._line) - since
        if done <= first or took < LEAST_SECONDS:
            return None
        return took / (done - first) * (total - done)

    def cancel(self) -> None:
        """Stop it: at once while it waits, at its next check while it is served."""
        self._line.stop(self._record, "This was stopped on request.")

    def heartbeat(self, *, in_sight: bool = True) -> None:
        """Say that somebody still waits for it; without that it is cancelled.

        in_sight: whether the page shows it; what no page shows lets the others go first.
        """
        self._record.last_heartbeat = self._line.clock()
        if in_sight:
            self._record.last_in_sight = self._record.last_heartbeat

    def wait(self, timeout: float | None = None) -> bool:
        """Block until it has finished or the timeout has passed; whether it has finished.

        A job that somebody waits for needs no heartbeat.
        """
        with self._line.condition:
            self._record.waiters += 1
            try:
                return self._line.condition.wait_for(lambda: self.finished, timeout)
            finally:
                self._record.waiters -= 1
                self.heartbeat()


def _busy(record: JobRecord, line: Line) -> float:
    started = record.step_started
    return record.busy_seconds + (0.0 if started is None else line.clock() - started)


class JobContext:
    """What the work is given: where it reports, and where it learns that it must stop."""

    def __init__(self, record: JobRecord, line: Line) -> None:
        self._record = record
        self._line = line

    def check(self) -> None:
        """Raise CancelledError when the job was cancelled or its page was closed.

        Work calls this at least once per layer or token.
        """
        if self._record.stop_reason is not None:
            raise CancelledError(self._record.stop_reason)
        if self._line.is_abandoned(self._record):
            raise CancelledError(ABANDONED)

    def progress(self, done: int, total: int) -> None:
        """Report progress; another total begins another count."""
        with self._line.condition:
            if total != self._record.progress[1]:
                self._record.counted_from = done, _busy(self._record, self._line)
            self._record.progress = (done, total)

    def note(self, words: str) -> None:
        """Say what is being done just now, where counting alone says little."""
        self._record.note = words

    def emit(self, value: object) -> None:
        """Publish a partial value to whoever reads `Job.events`."""
        with self._line.condition:
            self._record.events.append(value)
