"""Turns at decoding: none is refused for what others ask, and nobody takes them all."""

import threading

import pytest

from medgemma_dash.core.errors import CancelledError, ImageError
from medgemma_dash.imaging.guarded.turns import Turns


class Visitors:
    """Threads that take turns, and stay until they are let go."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[str] = []
        self._entered = threading.Condition()
        self._leave: dict[str, threading.Event] = {}
        self._threads: list[threading.Thread] = []

    def come(self, name: str, owner: str | None) -> None:
        """Ask for a turn, and be in the line before this returns."""
        self._leave[name] = threading.Event()
        before = len(self.turns._waiting) + len(self.turns._serving)
        self._threads.append(threading.Thread(target=self._visit, args=(name, owner)))
        self._threads[-1].start()
        with self.turns._changed:
            assert self.turns._changed.wait_for(
                lambda: len(self.turns._waiting) + len(self.turns._serving) > before, 30
            )

    def let_go(self, name: str) -> None:
        self._leave[name].set()

    def wait_until_served(self, *names: str) -> None:
        with self._entered:
            assert self._entered.wait_for(lambda: self.served == list(names), 30), self.served

    def end(self) -> None:
        for event in self._leave.values():
            event.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, name: str, owner: str | None) -> None:
        with self.turns.turn(owner, 60.0, None):
            with self._entered:
                self.served.append(name)
                self._entered.notify_all()
            self._leave[name].wait(60)


def test_one_owner_cannot_take_every_turn() -> None:
    visitors = Visitors(Turns(3))
    try:
        for name in ("a1", "a2", "a3", "a4"):
            visitors.come(name, "a")
        visitors.wait_until_served("a1")
        visitors.come("b1", "b")
        visitors.come("c1", "c")
        visitors.wait_until_served("a1", "b1", "c1")
        visitors.come("d1", "d")
        visitors.let_go("b1")  # a's others came before d, and still wait for a
        visitors.wait_until_served("a1", "b1", "c1", "d1")
        visitors.let_go("a1")
        visitors.wait_until_served("a1", "b1", "c1", "d1", "a2")
    finally:
        visitors.end()


def test_nobody_in_particular_takes_any_free_turn() -> None:
    visitors = Visitors(Turns(2))
    try:
        visitors.come("first", None)
        visitors.come("second", None)
        visitors.wait_until_served("first", "second")
        with pytest.raises(ImageError, match="Too many"), visitors.turns.turn(None, 0.0, None):
            raise AssertionError("There was no turn left.")
    finally:
        visitors.end()


def test_who_waits_for_a_turn_may_leave() -> None:
    visitors = Visitors(Turns(1))

    def check() -> None:
        raise CancelledError("The page was closed.")

    try:
        visitors.come("first", None)
        visitors.wait_until_served("first")
        with pytest.raises(CancelledError), visitors.turns.turn("other", 60.0, check):
            raise AssertionError("There was no turn left.")
        assert visitors.turns._waiting == []
    finally:
        visitors.end()
