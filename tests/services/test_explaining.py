"""An explanation says what it explains, with what, and can be computed again from its record."""

import dataclasses
import threading
import time

import numpy as np
import pytest
import torch

from medgemma_dash import ask, explain, relevancy_tensor
from medgemma_dash.core.errors import NoExplanationError, TargetError
from medgemma_dash.core.explanation import explanation_from_pandas
from medgemma_dash.core.progress import finish
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods import attention_rows, available, get
from medgemma_dash.models import generation, image_attention
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.attention import attention_weights
from medgemma_dash.services.explaining import explain as explaining
from medgemma_dash.services.explaining.filling import fill_rows
from medgemma_dash.services.explaining.steps import explain_steps
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.targets import token_target
from tests.gemma3_factory import Shape, radiograph, random_adapter
from tests.services.makers import NobodyWaits, finished, same_explanation

QUESTION = "Is there evidence of pneumonia?"


@pytest.fixture(scope="module")
def model():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # tiny matrices on several threads wait for one another
    yield random_adapter(Shape(seed=21))
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def answer(model):
    return ask(model, radiograph(), QUESTION, force="Yes, in the right lower zone.")


def test_image_is_the_rows_soft_tokens_in_reading_order(model, answer):
    found = explain(model, answer, token=1)
    start, stop = answer.image_span
    rows, cols = answer.grid
    assert found.image.dtype == found.row.dtype == found.layers.dtype == np.float32
    assert found.image.shape == (rows, cols)
    assert found.row.shape == answer.input_ids.shape
    assert found.layers.shape == (len(model.layout.layers),)
    assert (found.image == found.row[start:stop].reshape(rows, cols)).all()
    assert ((found.layers > 0) & (found.layers < 1)).all()
    assert not found.signed


def test_an_answer_about_two_images_is_explained_by_a_map_of_each(model):
    films = [radiograph(1), radiograph(2)]
    asked = ask(model, films, QUESTION, force="Yes, there.")
    found = explain(model, asked, span=(0, 2), method="gradcam")
    assert len(found.images) == len(found.fine_images) == 2
    for image, seen in zip(found.images, asked.images, strict=True):
        assert (image == found.row[slice(*seen.span)].reshape(seen.grid)).all()
    assert found.image is found.images[1]
    assert found.fine is found.fine_images[1]
    assert found.provenance.image_sha256s == tuple(film.sha256 for film in films)
    store = RelevanceStore(asked)
    steps = explain_steps(lambda: model, store, found.target, "gradcam", (), NobodyWaits())
    for one in (found, finished(steps)):
        same_explanation(explanation_from_pandas(one.to_pandas()), one)


def test_an_explanation_is_frozen(model, answer):
    found = explain(model, answer, token=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.method = "other"
    with pytest.raises(ValueError, match="read-only"):
        found.row[0] = 1


@pytest.mark.parametrize("method", [spec.name for spec in available()])
def test_a_phrase_a_span_and_the_answer_are_the_mean_of_their_tokens(model, answer, method):
    tensor = relevancy_tensor(model, answer, method=method)
    whole = explain(model, answer, method=method)
    span = explain(model, answer, span=(2, 6), method=method)
    phrase = explain(model, answer, phrase="right lower", method=method)
    close = {"rtol": 0, "atol": 1e-5 * float(tensor.max())}
    assert np.allclose(whole.row, tensor.mean(0), **close)
    assert np.allclose(span.row, tensor[2:6].mean(0), **close)
    assert np.allclose(phrase.row, tensor[list(phrase.target.token_indices)].mean(0), **close)
    assert whole.target.kind == "answer"
    assert "right lower" in phrase.target.text


def test_grad_cam_is_also_there_patch_by_patch_before_it_was_pooled():
    model = random_adapter(Shape(seed=22, image_size=56, vision_layers=2))
    asked = ask(model, radiograph(), QUESTION, force="Yes, there.")
    found = explain(model, asked, span=(0, 2), method="gradcam")
    assert found.image.shape == (4, 4)
    assert found.fine.shape == (8, 8)
    assert found.fine.dtype == np.float32
    assert not found.fine.flags.writeable
    pooled = found.fine.reshape(4, 2, 4, 2).mean((1, 3))
    assert np.allclose(pooled, found.image, rtol=0, atol=1e-6 * found.image.max())
    words = [explain(model, asked, token=index, method="gradcam").fine for index in (0, 1)]
    assert np.allclose(np.mean(words, 0), found.fine, rtol=0, atol=1e-6 * found.fine.max())
    assert explain(model, asked, token=0).fine is None


def test_the_default_method_is_chefer_and_its_settings_are_recorded(model, answer):
    found = explain(model, answer, token=0)
    assert found.method == "chefer"
    assert found.provenance.method == "chefer"
    assert dict(found.provenance.settings) == {"heads": "mean", "words": "mean of maps"}
    other = explain(model, answer, token=0, heads="max")
    assert dict(other.provenance.settings)["heads"] == "max"


def test_the_provenance_is_enough_to_compute_it_again(model, answer):
    found = explain(model, answer, phrase="zone")
    record = found.provenance
    assert record.model_name == model.name
    assert record.model_revision == model.revision
    assert (record.device, record.dtype) == ("cpu", "float32")
    assert record.image_sha256 == answer.radiograph.sha256
    assert record.prompt == QUESTION
    assert record.token_ids == tuple(answer.input_ids.tolist())
    assert record.token_ids[record.prompt_length :] == tuple(t.id for t in answer.tokens)
    assert record.image_span == answer.image_span
    assert {"torch", "transformers", "numpy", "python", "medgemma_dash"} <= dict(
        record.versions
    ).keys()
    assert record.seconds > 0
    assert not record.is_demo
    again = explain(
        model,
        ask(model, answer.radiograph, record.prompt, force=answer.text),
        span=(found.target.token_indices[0], found.target.token_indices[-1] + 1),
        method=record.method,
        **dict(record.settings),
    )
    assert np.allclose(again.row, found.row, rtol=0, atol=1e-6 * found.row.max())


def test_a_contrast_differs_from_the_token_alone_and_from_its_reverse(model, answer):
    alone = explain(model, answer, token=2).row
    rival = answer.tokens[2].runners_up[0]
    against = explain(model, answer, token=2, against=rival.text)
    assert against.target.against.text.strip() == rival.text.strip()
    assert abs(against.row - alone).max() > 0.01 * alone.max()


def test_a_method_that_cannot_contrast_says_what_to_do_instead(model, answer):
    rival = answer.tokens[2].runners_up[0].text
    with pytest.raises(TargetError, match=r"cannot explain one token.*Explain the word alone"):
        explain(model, answer, token=2, against=rival, method="rollout")


@pytest.mark.parametrize(
    ("method", "runs"), [("occlusion", 16 + 1), ("integrated_gradients", 16), ("chefer", 1)]
)
def test_progress_of_one_word_counts_the_runs_of_the_model(model, answer, method, runs):
    seen = []
    explain(model, answer, token=1, method=method, progress=lambda *counts: seen.append(counts))
    assert seen == sorted(seen)
    assert {total for _, total in seen} == {runs}
    assert seen[-1] == (runs, runs)


def test_progress_of_all_words_counts_the_runs_of_all_batches(model, answer):
    seen = []
    relevancy_tensor(
        model,
        answer,
        method="integrated_gradients",
        progress=lambda *counts: seen.append(counts),
    )
    batches = -(-len(answer.tokens) // replay_answer(model, answer).targets_at_once)
    total = 16 * batches
    assert seen == [(done, total) for done in range(1, total + 1)]


def test_rows_put_into_a_store_report_the_runs_that_they_take(model, answer):
    seen = []
    finish(
        fill_rows(
            model,
            RelevanceStore(answer),
            range(len(answer.tokens)),
            "occlusion",
            {"block": "2x2"},
            lambda: None,
            lambda *counts: seen.append(counts),
        )
    )
    assert seen[-1] == (4 + 1, 4 + 1)


def test_seconds_are_of_the_methods_own_work(model, answer, monkeypatch):
    """Not of the replay, nor of the layers' shares, nor of the wait for another session."""
    slow = 0.3

    def slowly(function):
        def run(*arguments, **named):
            time.sleep(slow)
            return function(*arguments, **named)

        return run

    monkeypatch.setattr(explaining, "layer_shares", slowly(explaining.layer_shares))
    monkeypatch.setattr(generation, "build_replay", slowly(generation.build_replay))
    model.replays.clear()
    assert explain(model, answer, token=1, method="raw_attention").provenance.seconds < slow
    monkeypatch.setattr(attention_rows, "attention_weights", slowly(attention_weights))
    assert explain(model, answer, token=1, method="raw_attention").provenance.seconds > slow


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


def test_an_answer_that_says_nothing_has_nothing_to_explain(model):
    said = ask(model, radiograph(), QUESTION, max_new_tokens=1)
    model.hf_model.generation_config.eos_token_id = said.tokens[0].id
    try:
        silent = ask(model, radiograph(), QUESTION, max_new_tokens=5)
    finally:
        model.hf_model.generation_config.eos_token_id = [1, 5]
    assert silent.stopped == "end of turn"
    with pytest.raises(TargetError, match="said nothing"):
        explain(model, silent)
    assert explain(model, silent, token=0).row.any()  # its closing token can be explained


def test_a_caller_in_inference_mode_gets_the_same_map(answer):
    fresh = random_adapter(Shape(seed=21))
    with torch.inference_mode():
        asked = ask(fresh, radiograph(), QUESTION, force="Yes, in the right lower zone.")
        inside = explain(fresh, asked, token=1).row
    assert (inside == explain(fresh, asked, token=1).row).all()
