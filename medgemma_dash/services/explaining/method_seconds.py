"""What a target cost lately by each method on this machine."""

from collections import deque
from statistics import median
from threading import Lock

RUNS_KEPT = 20


class MethodSeconds:
    """The last runs of every method, shared by all sessions. Safe to use from any thread."""

    def __init__(self) -> None:
        self._runs: dict[str, deque[float]] = {}
        self._lock = Lock()

    def note(self, method: str, seconds: float) -> None:
        """Add a run."""
        with self._lock:
            self._runs.setdefault(method, deque(maxlen=RUNS_KEPT)).append(seconds)

    def of(self, method: str) -> float | None:
        """The median in seconds; None when the method was not run yet."""
        with self._lock:
            known = self._runs.get(method)
            return median(known) if known else None
