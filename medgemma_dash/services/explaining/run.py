"""Runs a method on targets, in batches of the size that suits the device."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Watcher
from medgemma_dash.core.target import Target
from medgemma_dash.methods import Method
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer

Check = Callable[[], None]
Progress = Callable[[int, int], None]
MethodSettings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class MethodRows:
    """What a method found: relevance (targets, S), float32, and what it says beside it.

    gaps: each row's completeness gap, for a method that promises completeness.
    fine: relevance of the vision tower's patches, for a method that sees them.
    seconds: of the method's own work for all these targets. What every method shares is not in
        them: the replay, which is built once for an answer, the layers' shares of attention, and
        waiting for other sessions. A method that gives all tokens at once takes its whole run for
        any of them.
    """

    rows: Float[np.ndarray, "targets sequence"]
    gaps: Float[np.ndarray, " targets"] | None
    fine: Float[np.ndarray, "targets patch_rows patch_cols"] | None
    seconds: float


def run_method(
    model: VisionLanguageModel,
    answer: Answer,
    targets: Sequence[Target],
    method: Method,
    options: MethodSettings,
    *,
    check: Check | None = None,
    progress: Progress | None = None,
) -> MethodRows:
    """Run it, with the model's lock held.

    progress(done, total) is called as targets are finished, and by a method that runs the model
    many times as its runs are, which are then what is counted. `check` may raise to stop.
    """
    found = np.zeros((len(targets), len(answer.input_ids)), np.float32)
    gaps: list[float] = []
    fine: list[Float[np.ndarray, "targets patch_rows patch_cols"]] = []
    with model.lock:
        replay = replay_answer(model, answer, check)
        began = time.perf_counter()
        step = len(targets) if method.spec.all_tokens_at_once else replay.targets_at_once
        starts = range(0, len(targets), step)
        for place, start in enumerate(starts):
            batch = targets[start : start + step]
            listener = None if progress is None else _Listener(progress, place, len(starts))
            watched = check if listener is None else Watcher(check, listener)
            rows = method.rows(replay, answer, batch, options, watched)
            found[start : start + step] = rows.relevance.numpy()
            gaps += rows.gaps or ()
            if rows.fine is not None:
                fine.append(rows.fine.numpy())
            if listener is not None and not listener.told:
                listener.progress(start + len(batch), len(targets))
        seconds = time.perf_counter() - began
    return MethodRows(
        rows=found,
        gaps=np.array(gaps, np.float32) if gaps else None,
        fine=np.concatenate(fine) if fine else None,
        seconds=seconds,
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
