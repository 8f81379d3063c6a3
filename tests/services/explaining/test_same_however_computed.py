"""An explanation is the same directly, from the store, among threads, and in inference mode."""

import dataclasses
import threading

import numpy as np
import pytest
import torch

from medgemma_dash import ask, explain
from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods import get
from medgemma_dash.models import image_attention
from medgemma_dash.services.explaining import explain as explaining
from medgemma_dash.services.explaining.steps import explain_steps
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.targets import token_target
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.random_answers import QUESTION
from tests.services.makers import NobodyWaits, finished, same_explanation


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("chefer", {}),
        ("chefer", {"words": "summed logits"}),
        ("integrated_gradients", {}),
        ("gradcam", {}),
        ("occlusion", {"block": "2x2"}),
    ],
)
def test_what_comes_out_of_the_store_is_what_is_computed_directly(
    model, answer, method, options, monkeypatch
):
    """To the bit, with its gap, its patches and its seconds."""
    method_steps = explaining.method_steps
    at_once = get(method).spec.all_tokens_at_once

    def timed(of, asked, targets, *rest, **named):
        found = yield from method_steps(of, asked, targets, *rest, **named)
        cost = [8.0 if at_once else 0.1 + one.token_indices[0] for one in targets]
        return dataclasses.replace(found, seconds=np.array(cost))

    monkeypatch.setattr(explaining, "method_steps", timed)
    store = RelevanceStore(answer)
    for indices in ((0,), (1, 2)):
        span = {"span": (indices[0], indices[-1] + 1)}
        wanted = explain(model, answer, method=method, **span, **options)
        steps = explain_steps(lambda: model, store, wanted.target, method, options, NobodyWaits())
        same_explanation(finished(steps), wanted)
        same_explanation(store.explanation(wanted.target, method, options), wanted)
    cost = 8.0 if at_once else 1.1 + 2.1
    assert wanted.provenance.seconds == (1.1 if "words" in options else cost)


def test_the_layers_shares_are_worked_out_once_for_a_word(model, answer, monkeypatch):
    model.replays.clear()
    wanted = explain(model, answer, token=1).layers

    def again(*_: object) -> None:
        raise AssertionError("They are known.")

    monkeypatch.setattr(image_attention, "attention_weights", again)
    for method in ("tam", "activation_norm", "input_x_gradient"):
        assert (explain(model, answer, token=1, method=method).layers == wanted).all()
    with pytest.raises(AssertionError, match="known"):
        explain(model, answer, token=2, method="tam")


def test_an_empty_or_infinite_map_is_no_explanation(model, answer, monkeypatch):
    """By one rule: computed directly, in one go for the store, or from rows that are known."""
    positions, layers = len(answer.input_ids), len(model.layout.layers)
    found = Relevance(
        np.zeros((1, positions), np.float32),
        np.full((1, layers), 0.5, np.float32),
        seconds=np.array([0.1]),
    )

    def steps(*_, **__):
        return found
        yield

    monkeypatch.setattr(explaining, "relevance_steps", steps)
    target, store = token_target(answer, 0), RelevanceStore(answer)
    store.fill((0,), found, explaining.origin_of(model, answer, get("chefer").spec, ()))
    empty = RelevanceStore(answer)
    for value, reason in ((0, "Chefer found no relevance at all"), (np.nan, "not finite")):
        found.rows[0, 7] = store.find(target)[0].rows[0, 7] = value
        store.fill((0,), found, explaining.origin_of(model, answer, get("chefer").spec, ()))
        with pytest.raises(NoExplanationError, match=reason):
            explain(model, answer, token=0)
        for kept in (store, empty):
            with pytest.raises(NoExplanationError, match=reason):
                finished(explain_steps(lambda: model, kept, target, "chefer", (), NobodyWaits()))
        assert store.explanation(target) is None


def test_two_threads_on_one_model_get_what_one_gets(model, answer):
    other = ask(model, radiograph(4), "Where is it?", force="No effusion.")
    model.replays.budget_bytes, before = model.replays.bytes // 2, model.replays.budget_bytes
    wanted = [explain(model, answer, token=1).row, explain(model, other, token=1).row]
    found: dict[int, list[np.ndarray]] = {0: [], 1: []}

    def work(which: int, of: object) -> None:
        found[which] = [explain(model, of, token=1).row for _ in range(4)]

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate((answer, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    model.replays.budget_bytes = before
    for which, rows in found.items():
        assert len(rows) == 4
        assert all(np.allclose(row, wanted[which], rtol=0, atol=1e-6) for row in rows)


def test_a_caller_in_inference_mode_gets_the_same_map(answer):
    fresh = random_adapter(Shape(seed=21))
    with torch.inference_mode():
        asked = ask(fresh, radiograph(), QUESTION, force="Yes, in the right lower zone.")
        inside = explain(fresh, asked, token=1).row
    assert (inside == explain(fresh, asked, token=1).row).all()
