"""An engine on a clock that the test turns, and its worker kept busy."""

from collections.abc import Iterator

import pytest

from medgemma_dash.services.runtime.engine import Engine
from tests.services.runtime.held_work import PATIENCE_SECONDS, Clock, Gate


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Iterator[Engine]:
    made = Engine(clock=clock)
    yield made
    made.close()
    assert not made._worker.is_alive()


@pytest.fixture
def gate(engine: Engine) -> Iterator[Gate]:
    """Work of "someone else" that keeps the worker until the test opens it."""
    made = Gate()
    engine.submit(made, owner="someone else", label="gate")
    assert made.reached.wait(PATIENCE_SECONDS)
    yield made
    made.open.set()
