"""What is to be computed, as a value: whoever makes one knows nothing of who runs it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from medgemma_dash.services.runtime.job import JobContext

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

T = TypeVar("T")
# Gives the model that is loaded now; raises ModelError when there is none. Work in steps asks
# anew in each of them, since the model may be loaded again in between.
CurrentModel = Callable[[], "VisionLanguageModel"]


@dataclass(frozen=True)
class Known(Generic[T]):
    """A result that was there already, and the events that its job has."""

    result: T
    events: tuple[object, ...] = ()


@dataclass(frozen=True)
class Task(Generic[T]):
    """A computation on the model; `ModelHost.run` makes a job of it.

    label: what it does, in words for the user; it is logged, so it quotes no prompt.
    key: a newer task with the same owner and key takes an older one's place.
    work: called on the engine's worker, with whatever it needs imported there.
    in_steps: `work` gives a generator: others may go first at each yield, its return value is
        the result, and no lock is held across a yield.
    background: every interactive job goes first.
    needs_heartbeat: whether it ends when nobody asks about it any more.
    known: the result, when nothing has to be computed.
    """

    label: str
    key: str
    work: Callable[[CurrentModel, JobContext], T | Generator[object, None, T]]
    in_steps: bool = False
    background: bool = False
    needs_heartbeat: bool = True
    known: Known[T] | None = None
