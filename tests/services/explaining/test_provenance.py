"""An explanation's record: with what it was computed, how far it is and how long it took."""

import time

import numpy as np
import pytest

from medgemma_dash import ask, explain, relevancy_tensor
from medgemma_dash.core.progress import finish
from medgemma_dash.methods import attention_rows
from medgemma_dash.models import generation
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.attention import attention_weights
from medgemma_dash.services.explaining import explain as explaining
from medgemma_dash.services.explaining.filling import fill_rows
from medgemma_dash.services.explaining.store import RelevanceStore
from tests.random_answers import QUESTION


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
