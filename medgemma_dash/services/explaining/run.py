"""Runs a method on targets, in batches of the size that suits the device."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, Progress, Watcher
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.methods import Call, Method
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
    """Run it, with the model's lock held; the result lacks the layers' shares of attention.

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
    parts: list[Relevance] = []
    with model.lock:
        replay = replay_answer(model, answer, check)
        step = len(targets) if spec.all_tokens_at_once else replay.targets_at_once
        starts = range(0, len(targets), step)
        for place, start in enumerate(starts):
            batch = targets[start : start + step]
            listener = None if progress is None else _Listener(progress, place, len(starts))
            watched = check if listener is None else Watcher(check, listener)
            began = time.perf_counter()
            found = method.rows(Call(replay, answer, batch, typed, watched))
            seconds = time.perf_counter() - began
            each = seconds if spec.all_tokens_at_once else seconds / len(batch)
            parts.append(replace(found, seconds=np.full(len(batch), each)))
            if listener is not None and not listener.told:
                listener.progress(start + len(batch), len(targets))
    return joined(parts)


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
