"""Who may decode a file next, when more want to than may."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.progress import Check

# How often somebody who waits asks whether it is still worth waiting.
POLL_SECONDS = 0.1


class Turns:
    """Turns in order of arrival, of which each owner has one at a time.

    So an owner's second file waits for the first, whatever is free, and others go ahead of it.
    at_once: how many have a turn at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._changed = threading.Condition()
        self._serving: list[str | None] = []
        self._waiting: list[tuple[object, str | None]] = []

    @contextmanager
    def turn(self, owner: str | None, seconds: float, check: Check | None) -> Iterator[None]:
        """Wait for a turn and have it; raises ImageError after so many seconds in vain.

        owner: None for nobody in particular, who may have several turns.
        check: called while waiting; what it raises ends the wait.
        """
        self._wait(owner, time.monotonic() + seconds, check)
        try:
            yield
        finally:
            with self._changed:
                self._serving.remove(owner)
                self._changed.notify_all()

    def _wait(self, owner: str | None, deadline: float, check: Check | None) -> None:
        ticket = (object(), owner)
        with self._changed:
            self._waiting.append(ticket)
            try:
                while not self._changed.wait_for(lambda: self._next() is ticket, POLL_SECONDS):
                    if check is not None:
                        check()
                    if time.monotonic() > deadline:
                        raise ImageError(
                            "Too many files are being read at once. Try again in a minute."
                        )
                self._serving.append(owner)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _next(self) -> tuple[object, str | None] | None:
        if len(self._serving) >= self._at_once:
            return None
        return next(
            (one for one in self._waiting if one[1] is None or one[1] not in self._serving), None
        )
