"""What a target cost lately by each method on this machine."""

from collections import deque
from collections.abc import Mapping
from statistics import median
from threading import Lock

RUNS_KEPT = 20
PASS_SECONDS = 0.1  # before anything was measured


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

    def expected(self, passes: Mapping[str, int]) -> dict[str, float]:
        """What each method may be expected to cost: as measured, or else by its passes.

        passes: of every method; what one of them costs is taken from those that were measured.
        """
        known = {method: self.of(method) for method in passes}
        measured = [cost / passes[method] for method, cost in known.items() if cost is not None]
        pass_seconds = median(measured) if measured else PASS_SECONDS
        expected = {method: count * pass_seconds for method, count in passes.items()}
        return expected | {method: cost for method, cost in known.items() if cost is not None}
