"""Several methods on one target: a failure costs one map, never the others."""

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from medgemma_dash.core.errors import CancelledError, MethodError, NoExplanationError
from medgemma_dash.core.target import Target
from medgemma_dash.models import masked_forward
from medgemma_dash.services.explaining import filling
from medgemma_dash.services.explaining.explain import explain_target
from medgemma_dash.services.explaining.method_seconds import MethodSeconds
from medgemma_dash.services.explaining.steps import (
    MethodOutcome,
    compare_steps,
    explain_steps,
    fill_steps,
)
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import compare_task
from tests.random_answers import case


class Context:
    """What the engine gives to a job, without an engine."""

    def __init__(self) -> None:
        self.outcomes: list[Any] = []
        self.counted: list[tuple[int, int]] = []
        self.notes: list[str] = []

    def emit(self, value: object) -> None:
        self.outcomes.append(value)

    def progress(self, done: int, total: int) -> None:
        self.counted.append((done, total))

    def note(self, words: str) -> None:
        self.notes.append(words)

    def check(self) -> None:
        """Nobody cancels."""


def run(context: Any, store: RelevanceStore, target: Target, methods: Sequence[str]) -> Any:
    found = case("six layers, heads 8 on 4")
    steps = compare_steps(lambda: found.model, store, target, [(m, ()) for m in methods], context)
    for _ in steps:
        pass
    return context.outcomes


@pytest.fixture
def store() -> RelevanceStore:
    return RelevanceStore(case("six layers, heads 8 on 4").answer)


def test_every_method_gives_its_map_and_the_store_keeps_it(store):
    target = Target("token", (2,), "")
    outcomes = run(Context(), store, target, ["chefer", "rollout", "occlusion"])
    assert [one.method for one in outcomes] == ["chefer", "rollout", "occlusion"]
    assert all(one.explanation is not None and one.reason == "" for one in outcomes)
    assert store.explanation(target, "rollout") is not None
    # One run of occlusion serves every word.
    assert store.tensor("occlusion").filled.all()


def test_a_quick_method_never_waits_for_a_slow_one(store):
    model, target, context = (
        case("six layers, heads 8 on 4").model,
        Target("token", (1,), ""),
        Context(),
    )
    chosen = [(name, ()) for name in ("occlusion", "integrated_gradients", "legrad", "chefer")]
    seconds = MethodSeconds()
    seconds.note("legrad", 0.2)
    seconds.note("chefer", 0.1)
    for _ in compare_task(store, target, chosen, seconds).work(lambda: model, context):
        pass
    order = [one.method for one in context.outcomes]
    assert order == ["chefer", "legrad", "integrated_gradients", "occlusion"]


def test_several_words_too_give_one_outcome_a_method_and_progress_that_counts_methods(store):
    target, context = Target("span", tuple(range(6)), ""), Context()
    outcomes = run(context, store, target, ["chefer", "rollout"])
    assert [type(one) for one in outcomes] == [MethodOutcome, MethodOutcome]
    assert [one.explanation.target for one in outcomes] == [target, target]
    assert context.counted == sorted(context.counted)
    assert context.counted[0] == (0, 2)
    assert context.counted[-1] == (2, 2)
    assert {total for _, total in context.counted} == {2}
    # Each method's own progress is a note beside the job's.
    assert context.notes[0] == "Chefer"
    assert {"Chefer, 4 of 6", "Chefer, 6 of 6", "Attention rollout"} <= set(context.notes)


def test_filling_counts_the_words_that_are_known_whole(store):
    found, context, words = case("six layers, heads 8 on 4"), Context(), [(0, 2), (2, 5), (5, 6)]
    for _ in fill_steps(lambda: found.model, store, range(6), "chefer", (), context, words):
        pass
    assert context.outcomes == list(range(6))  # four in one batch, then two
    assert context.counted == [(0, 3), (1, 3), (1, 3), (3, 3)]


def test_a_method_that_runs_the_model_many_times_says_how_far_it_is(store):
    context = Context()
    run(context, store, Target("token", (2,), ""), ["occlusion"])
    # Every cell taken away once, and none.
    runs = int(np.prod(store.answer.grid)) + 1
    assert context.notes == ["Occlusion", f"Occlusion, {runs} of {runs}"]


@pytest.mark.parametrize(("method", "pauses"), [("occlusion", 16), ("integrated_gradients", 15)])
def test_between_the_runs_of_a_long_method_the_model_is_free_and_nothing_is_different_after(
    store, monkeypatch, method, pauses
):
    monkeypatch.setattr(masked_forward, "PROCESSOR_BYTES", 1)  # one block a batch
    found, target = case("six layers, heads 8 on 4"), Target("token", (1,), "")
    model, decoder = found.model, found.model.hf_model.config.text_config
    wanted = explain_target(model, found.answer, target, method=method).row
    before = decoder._attn_implementation, model.replays.budget_bytes, True
    steps = explain_steps(lambda: model, store, target, method, (), Context())
    met = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            explanation = end.value
            break
        met += 1
        now = decoder._attn_implementation, model.replays.budget_bytes, torch.is_grad_enabled()
        assert now == before
        with pytest.raises(RuntimeError, match="un-acquired"):
            model.lock.release()
        if met == 2:  # another session explains by the same model, and has the caches emptied
            explain_target(model, found.answer, Target("token", (2,), ""))
            model.drop_caches()
    assert met == pauses
    assert np.array_equal(explanation.row, wanted)


def test_caches_are_dropped_when_what_ran_out_of_memory_is_free_again(store, monkeypatch):
    found = case("six layers, heads 8 on 4")
    held: list[weakref.ref[torch.Tensor]] = []
    still_held: list[bool] = []

    def failing(*_: Any) -> None:
        tensor = torch.zeros(3)
        held.append(weakref.ref(tensor))
        raise MemoryError

    monkeypatch.setattr(filling, "explain_whole", failing)
    monkeypatch.setattr(
        type(found.model), "drop_caches", lambda _model: still_held.append(held[0]() is not None)
    )
    run(Context(), store, Target("token", (1,), ""), ["legrad"])
    assert still_held == [False]


def test_a_method_that_cannot_run_says_why_and_the_next_one_runs(store, monkeypatch):
    explain_whole = filling.explain_whole

    def failing(model: Any, kept: Any, target: Any, method: str, *rest: Any) -> Any:
        if method == "rollout":
            raise MethodError("This model has no attention to read.")
        if method == "legrad":
            raise MemoryError
        if method == "tam":
            raise NoExplanationError("The text alone decides it.")
        return explain_whole(model, kept, target, method, *rest)

    monkeypatch.setattr(filling, "explain_whole", failing)
    target = Target("token", (1,), "")
    outcomes = run(Context(), store, target, ["rollout", "legrad", "tam", "chefer"])
    assert outcomes[0].reason == "This model has no attention to read."
    assert "memory was not enough" in outcomes[1].reason
    # What lies in method and word is told once; memory may be there the next time.
    assert [one.lasting for one in outcomes] == [False, False, True, False]
    assert [one.explanation is None for one in outcomes] == [True, True, True, False]


def test_cancelling_ends_it_and_keeps_what_is_done(store, monkeypatch):
    explain_whole = filling.explain_whole

    def cancelled(model: Any, kept: Any, target: Any, method: str, *rest: Any) -> Any:
        if method == "rollout":
            raise CancelledError("This was stopped on request.")
        return explain_whole(model, kept, target, method, *rest)

    monkeypatch.setattr(filling, "explain_whole", cancelled)
    target, context = Target("token", (1,), ""), Context()
    with pytest.raises(CancelledError):
        run(context, store, target, ["chefer", "rollout", "legrad"])
    assert [one.method for one in context.outcomes] == ["chefer"]
    assert store.explanation(target, "chefer") is not None
