"""One worker thread that computes for every session, one job at a time."""

import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar
from weakref import WeakSet

from medgemma_dash.core.errors import CancelledError, MedGemmaDashError, OutOfMemoryError
from medgemma_dash.services.runtime.failures import log_failure, plain_error
from medgemma_dash.services.runtime.job import Job, JobContext
from medgemma_dash.services.runtime.queue import JobRecord, JobState, Line

T = TypeVar("T")
Work = Callable[[JobContext], T]
SteppedWork = Callable[[JobContext], Generator[object, None, T]]

# Browsers let a hidden tab's timers run once a minute; a job must outlive that.
HEARTBEAT_SECONDS = 90.0
# Far more than people produce by clicking; a page that loops meets a message, not a full memory.
MOST_WAITING = 128
MOST_WAITING_PER_OWNER = 32

_open: "WeakSet[Engine]" = WeakSet()


def close_engines() -> None:
    """Close every engine of this process, and wait until none computes any more."""
    for engine in list(_open):
        engine.close(timeout=None)


class Engine:
    """Runs jobs one at a time; see `Line` for the order.

    guard: makes the context in which each job or step runs (the host passes the model's lock).
    on_out_of_memory: called on the worker, under the guard, after a job ran out of memory and
        everything that it held is free again.
    heartbeat_seconds: how long a job lives that nobody asks about.
    clock: seconds that never go back.
    """

    def __init__(
        self,
        *,
        guard: Callable[[], AbstractContextManager[object]] = nullcontext,
        on_out_of_memory: Callable[[], None] = lambda: None,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._guard = guard
        self._on_out_of_memory = on_out_of_memory
        self._heartbeat_seconds = heartbeat_seconds
        self._line = Line(clock)
        self._closed = False
        # A daemon, so that a computation in progress never keeps the program from ending.
        self._worker = threading.Thread(target=self._serve, name="engine", daemon=True)
        self._worker.start()
        _open.add(self)

    def submit(
        self,
        work: Work[T],
        *,
        owner: str,
        label: str,
        supersedes: str | None = None,
        background: bool = False,
        needs_heartbeat: bool = True,
    ) -> Job[T]:
        """Put work into the line and return at once; never raises.

        label: what it does, in words for the user; it is logged, so it quotes no prompt.
        supersedes: a name; an unfinished job of the same owner and name is cancelled.
        background: let every interactive job go first.
        needs_heartbeat: False for work that no page has to keep alive.
        A line that is too long, or a closed engine, gives a job that has failed already.
        """
        return self._enter(work, False, owner, label, supersedes, background, needs_heartbeat)

    def submit_steps(
        self,
        work: SteppedWork[T],
        *,
        owner: str,
        label: str,
        supersedes: str | None = None,
        background: bool = False,
        needs_heartbeat: bool = True,
    ) -> Job[T]:
        """Like `submit`, for work written as a generator: others may go first at each yield.

        What it yields is ignored; what it returns is the result. The guard is released
        between steps, so nothing that needs it may be held across a yield.
        """
        return self._enter(work, True, owner, label, supersedes, background, needs_heartbeat)

    def finished(
        self,
        result: T,
        *,
        owner: str,
        label: str,
        supersedes: str | None = None,
        events: Sequence[object] = (),
    ) -> Job[T]:
        """A job that is done already, for a result that was known; it supersedes all the same."""
        record = self._record(None, False, owner, label, supersedes, False, None)
        record.events.extend(events)
        if record.key is not None:
            self._line.supersede(record.key)
        self._line.finish(record, "done", result, None)
        return Job(record, self._line)

    def close(self, timeout: float | None = 10.0) -> None:
        """Cancel everything and end the worker; what is running ends at its next check."""
        with self._line.condition:
            self._closed = True
            self._line.stop_all("The program is closing.")
            self._line.condition.notify_all()
        if threading.current_thread() is not self._worker:
            self._worker.join(timeout)

    def _enter(
        self,
        work: Callable[[JobContext], Any],
        in_steps: bool,
        owner: str,
        label: str,
        supersedes: str | None,
        background: bool,
        needs_heartbeat: bool,
    ) -> Job[Any]:
        allowed = self._heartbeat_seconds if needs_heartbeat else None
        record = self._record(work, in_steps, owner, label, supersedes, background, allowed)
        with self._line.condition:
            refusal = self._refusal(owner)
            if refusal is None:
                self._line.enter(record)
            else:
                self._line.finish(record, "failed", None, MedGemmaDashError(refusal))
        return Job(record, self._line)

    def _record(
        self,
        work: Callable[[JobContext], Any] | None,
        in_steps: bool,
        owner: str,
        label: str,
        supersedes: str | None,
        background: bool,
        heartbeat_seconds: float | None,
    ) -> JobRecord:
        now = self._line.clock()
        return JobRecord(
            owner=owner,
            label=label,
            start=work,
            in_steps=in_steps,
            background=background,
            key=None if supersedes is None else (owner, supersedes),
            heartbeat_seconds=heartbeat_seconds,
            last_heartbeat=now,
            last_in_sight=now,
        )

    def _refusal(self, owner: str) -> str | None:
        if self._closed:
            return "The program is closing and takes no more work. Start it again."
        if self._line.count(owner) >= MOST_WAITING_PER_OWNER:
            return f"{MOST_WAITING_PER_OWNER} of your requests are waiting already. Wait for them."
        if self._line.count() >= MOST_WAITING:
            return f"The program is busy: {MOST_WAITING} requests are waiting. Try again later."
        return None

    def _serve(self) -> None:
        while True:
            self._close_steps()
            with self._line.condition:
                record = self._line.leave()
                if record is None:
                    if not self._line.has_left_open:
                        if self._closed:
                            return
                        self._line.condition.wait()
                    continue
            if self._advance(record):
                self._line.re_enter(record)
            # The last result must not live on in an idle worker.
            del record

    def _advance(self, record: JobRecord) -> bool:
        """Run a job, or one step of it; whether there is more to do."""
        error: MedGemmaDashError
        context = JobContext(record, self._line)
        try:
            with self._guard():
                context.check()
                more, result = _run(record, context)
        except BaseException as raised:
            # Whatever it is, a SystemExit included, it concerns this job and not the worker.
            error = plain_error(raised, record.label)
        else:
            if not more:
                self._line.finish(record, "done", result, None)
            return more
        if isinstance(error, OutOfMemoryError):
            record.start = record.steps = None
            self._free_memory()
        state: JobState = "cancelled" if isinstance(error, CancelledError) else "failed"
        self._line.finish(record, state, None, error)
        return False

    def _free_memory(self) -> None:
        try:
            with self._guard():
                self._on_out_of_memory()
        except BaseException as raised:
            log_failure(raised, "freeing memory")

    def _close_steps(self) -> None:
        for steps in self._line.take_left_open():
            try:
                with self._guard():
                    steps.close()
            except BaseException as raised:
                log_failure(raised, "ending a cancelled job")


def _run(record: JobRecord, context: JobContext) -> tuple[bool, object]:
    """(more to do, result) after running a job or its next step."""
    if record.steps is None:
        start = record.start
        if start is None:
            raise RuntimeError("A finished job came back into the line.")
        outcome = start(context)
        if not record.in_steps:
            return False, outcome
        if not isinstance(outcome, Generator):
            raise TypeError("Work that is cut in steps must be a generator.")
        record.steps = outcome
    try:
        next(record.steps)
    except StopIteration as stop:
        return False, stop.value
    return True, None
