"""How long work says how far it is, and learns that it must stop."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

Check = Callable[[], None]  # raises to stop the work
Progress = Callable[[int, int], None]  # how many are done, of how many


@dataclass(frozen=True)
class Watcher:
    """A check that also hears how much is done, from the methods that run the model many times."""

    check: Check | None
    progress: Progress

    def __call__(self) -> None:
        """Do what the check does."""
        if self.check is not None:
            self.check()


def finish(steps: Generator[object, None, T]) -> T:
    """Go through work that is cut in steps without a pause; what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def tell(check: Check | None, done: int, total: int) -> None:
    """Say how many of a method's runs are done, if the check is one that listens."""
    if isinstance(check, Watcher):
        check.progress(done, total)


def time_in_words(seconds: float) -> str:
    """How long something will take, as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
