"""The line of jobs that wait for the one worker, and the order in which they get it."""

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal

from medgemma_dash.core.errors import CancelledError, MedGemmaDashError

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Steps = Generator[object, None, Any]

# A page asks about its jobs several times a second; a busy server or browser lets it do less.
IN_SIGHT_SECONDS = 5.0
ABANDONED = "This was stopped because the page that asked for it was closed."


@dataclass(eq=False)
class JobRecord:
    """Everything known about one job; read and written with the line's condition held.

    start: the work, until it has been started. steps: its generator, when it is cut in steps.
    key: (owner, name): a newer job with the same key takes this one's place.
    heartbeat_seconds: how long it lives without a heartbeat; None when it needs none.
    last_in_sight: when a page last showed how it stands.
    turn, sequence: its place, see `Line`.
    busy_seconds: time spent working, without the time in the line.
    counted_from: how much was done when it began to count to its total, and its time then.
    """

    owner: str
    label: str
    start: Callable[[Any], object] | None
    in_steps: bool
    background: bool
    key: tuple[str, str] | None
    heartbeat_seconds: float | None
    last_heartbeat: float
    last_in_sight: float
    turn: int = 0
    sequence: int = 0
    state: JobState = "queued"
    stop_reason: str | None = None
    progress: tuple[int, int] = (0, 0)
    counted_from: tuple[int, float] = (0, 0.0)
    note: str = ""
    events: list[object] = field(default_factory=list)
    result: Any = None
    error: MedGemmaDashError | None = None
    steps: Steps | None = None
    busy_seconds: float = 0.0
    step_started: float | None = None
    waiters: int = 0

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


class Line:
    """Who waits, who is served, and who comes next.

    Interactive jobs go before background ones, and among each of them those that a page shows
    before those whose page was left for another. Each kind is served in turns: an owner's first
    waiting job belongs to the current turn, the second to the next, and so on; within a turn
    the older job goes first. So one owner's ten requests delay another's by one. A job that
    is cut in steps is put back into the line after each of them, so a click waits for one
    step of it at most. Clicks come at human pace: they slow background jobs, and never
    starve them.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.condition = threading.Condition()
        self.clock = clock
        self.serving: JobRecord | None = None
        self._waiting: list[JobRecord] = []
        self._keyed: dict[tuple[str, str], JobRecord] = {}
        self._left_open: list[Steps] = []
        self._turns = {True: 0, False: 0}
        self._last_sequence = 0

    def enter(self, record: JobRecord) -> None:
        """Put a new job into the line; it takes the place of the one that it supersedes."""
        with self.condition:
            self._give_place(record)
            if record.key is not None:
                older = self._keyed.get(record.key)
                if older in self._waiting and older.background == record.background:
                    record.turn, record.sequence = older.turn, older.sequence
                self.supersede(record.key)
                self._keyed[record.key] = record
            self._waiting.append(record)
            self.condition.notify_all()

    def leave(self) -> JobRecord | None:
        """Take the job that is served next, or None when nobody waits."""
        with self.condition:
            self._dismiss_abandoned()
            order = self._order()
            if not order:
                return None
            record = order[0]
            self._waiting.remove(record)
            record.state = "running"
            record.step_started = self.clock()
            self.serving = record
            self._turns[record.background] = record.turn
            return record

    def re_enter(self, record: JobRecord) -> None:
        """Put the job that has just made a step at the end of the line."""
        with self.condition:
            self._end_step(record)
            if record.stop_reason is not None:
                self._dismiss(record)
                return
            self._give_place(record)
            self._waiting.append(record)

    def finish(
        self, record: JobRecord, state: JobState, result: object, error: MedGemmaDashError | None
    ) -> None:
        """Close a job; nothing of its work is kept but the result."""
        with self.condition:
            self._end_step(record)
            if record.finished:
                return
            if record.stop_reason is not None and state == "done":
                state, result, error = "cancelled", None, CancelledError(record.stop_reason)
            record.state, record.result, record.error = state, result, error
            record.start = record.steps = None
            if record.key is not None and self._keyed.get(record.key) is record:
                del self._keyed[record.key]
            self.condition.notify_all()

    def stop(self, record: JobRecord, reason: str) -> None:
        """Cancel at once when the job waits, or at its next check when it is being served."""
        with self.condition:
            if record.finished:
                return
            record.stop_reason = record.stop_reason or reason
            if record is not self.serving:
                self._dismiss(record)

    def supersede(self, key: tuple[str, str]) -> None:
        """Cancel the unfinished job with this key, if there is one."""
        with self.condition:
            older = self._keyed.get(key)
            if older is not None:
                self.stop(older, "A newer request took its place.")

    def stop_all(self, reason: str) -> None:
        """Cancel whatever waits or runs."""
        with self.condition:
            for record in (*self._waiting, self.serving):
                if record is not None:
                    self.stop(record, reason)

    def position(self, record: JobRecord) -> int:
        """0 while served or finished, otherwise how many are served up to and with it."""
        with self.condition:
            if record.finished or record is self.serving:
                return 0
            self._dismiss_abandoned()
            order = self._order()
            return order.index(record) + 1 if record in order else 0

    def is_abandoned(self, record: JobRecord) -> bool:
        """Whether nobody has asked about the job for longer than its heartbeat allows."""
        if record.heartbeat_seconds is None or record.waiters:
            return False
        return self.clock() - record.last_heartbeat > record.heartbeat_seconds

    def count(self, owner: str | None = None) -> int:
        """How many jobs wait, of one owner or of all."""
        with self.condition:
            return sum(owner in (None, record.owner) for record in self._waiting)

    @property
    def has_left_open(self) -> bool:
        """Whether cancelled jobs left generators to close."""
        return bool(self._left_open)

    def take_left_open(self) -> list[Steps]:
        """Generators of cancelled jobs, for the worker to close on its own thread."""
        with self.condition:
            left_open, self._left_open = self._left_open, []
            return left_open

    def _order(self) -> list[JobRecord]:
        def place(job: JobRecord) -> tuple[bool, bool, int, int]:
            return job.background, self._out_of_sight(job), job.turn, job.sequence

        return sorted(self._waiting, key=place)

    def _out_of_sight(self, record: JobRecord) -> bool:
        if record.heartbeat_seconds is None or record.waiters:
            return False
        return self.clock() - record.last_in_sight > IN_SIGHT_SECONDS

    def _give_place(self, record: JobRecord) -> None:
        own_turns = [
            waiting.turn
            for waiting in self._waiting
            if (waiting.owner, waiting.background) == (record.owner, record.background)
        ]
        record.turn = max(self._turns[record.background], 1 + max(own_turns, default=-1))
        self._last_sequence += 1
        record.sequence = self._last_sequence

    def _dismiss_abandoned(self) -> None:
        for record in [waiting for waiting in self._waiting if self.is_abandoned(waiting)]:
            self.stop(record, ABANDONED)

    def _dismiss(self, record: JobRecord) -> None:
        if record in self._waiting:
            self._waiting.remove(record)
        if record.steps is not None:
            self._left_open.append(record.steps)
        reason = record.stop_reason or "This was stopped."
        self.finish(record, "cancelled", None, CancelledError(reason))

    def _end_step(self, record: JobRecord) -> None:
        if record.step_started is not None:
            record.busy_seconds += self.clock() - record.step_started
            record.step_started = None
        if self.serving is record:
            self.serving = None
