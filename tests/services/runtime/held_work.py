"""Work for the engine that a test holds and lets go; nothing here waits for time to pass."""

import threading
from collections.abc import Callable

from medgemma_dash.services.runtime.job import Job, JobContext

# Only ever reached when a test fails.
PATIENCE_SECONDS = 30


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Gate:
    """A place where work stops until the test opens it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, context: JobContext) -> str:
        self.reached.set()
        assert self.open.wait(PATIENCE_SECONDS)
        context.check()
        return "through"


def finish(*jobs: Job[object]) -> None:
    for job in jobs:
        assert job.wait(PATIENCE_SECONDS)


def note(log: list[str], name: str) -> Callable[[JobContext], None]:
    return lambda context: log.append(name)
