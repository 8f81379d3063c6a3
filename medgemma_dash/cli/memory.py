"""What a long run holds in memory, early and at its end."""

from __future__ import annotations

import sys
from dataclasses import dataclass

BEFORE_ROW = 20  # by then everything that is kept for good has been used
MEBIBYTE = 1 << 20


@dataclass
class PeakMemory:
    """Notes the most that the process has held by the twentieth row, and in all."""

    early: float = 0.0
    done: int = 0

    def __call__(self, done: int, _total: int) -> None:
        """Progress of the work."""
        self.done = done
        if not self.early and done >= BEFORE_ROW:
            self.early = peak_mebibytes()

    def line(self) -> str:
        """Both, in words; "" of a run that was too short."""
        if not self.early or self.done <= BEFORE_ROW:
            return ""
        return (
            f"At most {self.early:.0f} MB of memory were held up to row {BEFORE_ROW}, "
            f"{peak_mebibytes():.0f} MB up to row {self.done}."
        )


def peak_mebibytes() -> float:
    """The most that the process has held at once, MiB; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0.0
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / MEBIBYTE if sys.platform == "darwin" else held / 1024
