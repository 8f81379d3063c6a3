"""Runs a method on targets, in batches of the size that suits the device."""

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, Progress, Watcher, finish
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.methods import Call, Method
from medgemma_dash.methods.specification import SteppedMethod
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer

MethodOptions = tuple[tuple[str, str], ...]


def run_method(
    model: VisionLanguageModel,
    answer: Answer,
    targets: Sequence[Target],
    method: Method,
    options: MethodOptions,
    *,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Relevance:
    """Run it without a pause; see `method_steps`."""
    with model.lock:
        return finish(
            method_steps(model, answer, targets, method, options, check=check, progress=progress)
        )


def method_steps(
    model: VisionLanguageModel,
    answer: Answer,
    targets: Sequence[Target],
    method: Method,
    options: MethodOptions,
    *,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Relevance]:
    """Run it, with the model's lock held in each step; the result lacks the layers' shares.

    It yields within methods that run the model many times. What waits there holds no graph:
    those are kept for answers, within their budget.

    Its seconds are of the method's own work: each row's part of its batch, or the whole run where
    one gives all tokens. What every method shares is not in them: the replay, which is built once
    for an answer, the layers' shares, and waiting for other sessions.

    progress(done, total) is called as targets are finished, and by a method that runs the model
    many times as its runs are, which are then what is counted. `check` may raise to stop.
    Raises TargetError for a target that the method cannot explain, and MethodError.
    """
    spec = method.spec
    for target in targets:
        spec.check_target(target)
    typed = spec.parse(dict(options))
    with model.lock:
        replay = replay_answer(model, answer, check)
    if isinstance(method, SteppedMethod):
        replay = replay.recomputing()
    parts: list[Relevance] = []
    size = len(targets) if spec.all_tokens_at_once else replay.targets_at_once
    starts = range(0, len(targets), size)
    for place, start in enumerate(starts):
        batch = targets[start : start + size]
        listener = None if progress is None else _Listener(progress, place, len(starts))
        watched = check if listener is None else Watcher(check, listener)
        call = Call(replay, answer, batch, typed, watched)
        found, seconds = yield from _batch_steps(model, method, call)
        each = seconds if spec.all_tokens_at_once else seconds / len(batch)
        parts.append(replace(found, seconds=np.full(len(batch), each)))
        if listener is not None and not listener.told:
            listener.progress(start + len(batch), len(targets))
    return joined(parts)


def _batch_steps(
    model: VisionLanguageModel, method: Method, call: Call[Any]
) -> Generator[None, None, tuple[Relevance, float]]:
    """What it finds for one batch, and the seconds of its steps."""
    steps, seconds = _steps_of(method, call), 0.0
    while True:
        with model.lock:
            began = time.perf_counter()
            try:
                next(steps)
            except StopIteration as end:
                return end.value, seconds + time.perf_counter() - began
            seconds += time.perf_counter() - began
        yield


def _steps_of(method: Method, call: Call[Any]) -> Generator[None, None, Relevance]:
    """The method's own, or all of it in one."""
    if not isinstance(method, SteppedMethod):
        return method.rows(call)
    found = yield from method.steps(call)
    return found


def joined(parts: Sequence[Relevance]) -> Relevance:
    """Batches of one method as one; raises ValueError for none."""
    first = parts[0]

    def together(name: str) -> npt.NDArray[np.floating] | None:
        given = [getattr(part, name) for part in parts]
        return None if getattr(first, name) is None else np.concatenate(given)

    return Relevance(
        rows=np.concatenate([part.rows for part in parts]),
        layers=together("layers"),
        gaps=together("gaps"),
        fine=tuple(np.concatenate(one) for one in zip(*(p.fine for p in parts), strict=True)),
        seconds=together("seconds"),
    )


@dataclass
class _Listener:
    """Hears how far a method is with one batch, and says how far that is of all batches.

    told: whether the method said anything; most leave it to be counted in targets.
    """

    progress: Progress
    place: int
    batches: int
    told: bool = False

    def __call__(self, done: int, runs: int) -> None:
        self.told = True
        self.progress(self.place * runs + done, self.batches * runs)
