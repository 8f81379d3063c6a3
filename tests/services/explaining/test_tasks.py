"""Asking and explaining as tasks of the host."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from medgemma_dash.core.errors import ModelError, OutOfMemoryError
from medgemma_dash.core.settings import Settings
from medgemma_dash.core.target import Against
from medgemma_dash.services.explaining import filling
from medgemma_dash.services.explaining.answer_cache import AnswerCache
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import ask_task, explain_all_task, explain_task
from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.services.runtime.job import Job
from tests.services.hosts import PATIENCE_SECONDS, finish, load_and_wait
from tests.services.makers import make_answer, make_radiograph, make_target

QUESTION = "Is there evidence of pneumonia?"


def test_the_same_question_is_answered_once_and_with_the_askers_radiograph(
    fake_host: ModelHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(model: object, radiograph: Any, prompt: str, **options: Any) -> object:
        asked.append(prompt)
        answer = make_answer(prompt=prompt, radiograph=radiograph)
        for token in answer.tokens:
            options["on_token"](token)
        return answer

    monkeypatch.setattr("medgemma_dash.services.explaining.asking.ask", ask)
    load_and_wait(fake_host)
    answers, model = AnswerCache(), fake_host.loaded
    first = fake_host.run("ada", ask_task(make_radiograph(), QUESTION, answers, model))
    finish(first)
    mine = make_radiograph()
    second = fake_host.run("bob", ask_task(mine, QUESTION, answers, model))
    assert second.state == "done"
    assert second.result is not None
    assert second.result.radiograph is mine
    assert "".join(event.text for event in second.events) == "Yes, left."
    assert first.events == second.events
    # Whoever does not know the model yet waits for it, and is told without asking it again.
    third = fake_host.run("cyd", ask_task(mine, QUESTION, answers))
    finish(third)
    assert third.events == first.events
    shorter = ask_task(mine, QUESTION, answers, model, max_new_tokens=5)
    finish(fake_host.run("bob", shorter))
    assert asked == [QUESTION, QUESTION]


def test_running_out_of_memory_in_a_click_drops_the_models_caches(
    fake_host: ModelHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explain(*arguments: object, **options: object) -> object:
        raise MemoryError

    monkeypatch.setattr(filling, "target_steps", explain)
    answer = make_answer()
    job = fake_host.run("ada", explain_task(RelevanceStore(answer), make_target(answer, 0)))
    finish(job)
    assert isinstance(job.error, OutOfMemoryError)
    load_and_wait(fake_host)
    assert fake_host.model.drops == 1


def test_an_answer_of_another_model_is_not_explained(fake_host: ModelHost) -> None:
    answer = replace(make_answer(), model_revision="older")
    jobs = [
        fake_host.run("ada", explain_task(RelevanceStore(answer), make_target(answer, 0))),
        fake_host.run("bob", explain_all_task(RelevanceStore(answer))),
    ]
    finish(*jobs)
    for job in jobs:
        assert isinstance(job.error, ModelError)
        assert "another model" in str(job.error)


@pytest.fixture(scope="module")
def host(demo_model: Any) -> Iterator[ModelHost]:
    """With the real demo model."""
    made = ModelHost(Settings(), load=lambda settings, context: demo_model)
    load_and_wait(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def store(host: ModelHost) -> RelevanceStore:
    said = "Yes, there is consolidation in the left lung."
    job = host.run("ada", ask_task(make_radiograph(), QUESTION, AnswerCache(), force=said))
    finish(job)
    assert job.error is None
    assert job.result is not None
    return RelevanceStore(job.result)


@pytest.mark.parametrize("indices", [(0,), (1, 2, 3)])
def test_a_job_explains_as_the_python_interface_does(
    host: ModelHost, store: RelevanceStore, demo_model: Any, indices: tuple[int, ...]
) -> None:
    from medgemma_dash.services.explaining.explain import explain

    job = host.run("ada", explain_task(store, make_target(store.answer, *indices)))
    finish(job)
    assert job.error is None
    assert job.result is not None
    span = (indices[0], indices[-1] + 1)
    expected = explain(demo_model, store.answer, span=span)
    # A batch of targets multiplies the same float32 numbers in another order.
    scale = float(np.abs(expected.row).max())
    np.testing.assert_allclose(job.result.row, expected.row, rtol=0, atol=2e-6 * scale)
    np.testing.assert_allclose(job.result.layers, expected.layers, rtol=1e-6)
    assert job.result.provenance.settings == expected.provenance.settings
    assert store.explanation(job.result.target) is not None
    again = host.run("ada", explain_task(store, job.result.target))
    assert again.state == "done"


def test_a_contrast_and_summed_logits_are_computed_whole_and_kept(
    host: ModelHost, store: RelevanceStore
) -> None:
    runner_up = store.answer.tokens[0].runners_up[0]
    contrast = make_target(store.answer, 0, against=Against(runner_up.id, runner_up.text))
    summed = {"words": "summed logits"}
    contrasted = host.run("ada", explain_task(store, contrast))
    finish(contrasted)
    span = make_target(store.answer, 0, 1)
    whole = host.run("ada", explain_task(store, span, "chefer", summed))
    finish(whole)
    assert contrasted.error is None
    assert whole.error is None
    assert store.explanation(contrast) is not None
    assert store.explanation(span, "chefer", summed) is not None


def test_explain_all_fills_what_clicks_left_open_and_equals_the_tensor(
    host: ModelHost, demo_model: Any
) -> None:
    from medgemma_dash.services.explaining.explain import relevancy_tensor

    asked = host.run(
        "ada", ask_task(make_radiograph(), QUESTION, AnswerCache(), force="Yes, left.")
    )
    finish(asked)
    assert asked.result is not None
    store = RelevanceStore(asked.result)
    count = len(store.answer.tokens)
    finish(host.run("ada", explain_task(store, make_target(store.answer, 1))))
    job = host.run("ada", explain_all_task(store))
    finish(job)
    assert job.error is None
    assert job.progress == (count, count)
    assert sorted(map(str, job.events)) == sorted(str(i) for i in range(count) if i != 1)
    known = store.tensor()
    assert known.filled.all()
    expected = relevancy_tensor(demo_model, store.answer)
    # As above: batches multiply in another order.
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(known.relevancy, expected, rtol=0, atol=2e-6 * scale)


def test_a_click_of_another_session_goes_before_the_rest_of_explain_all(
    host: ModelHost, store: RelevanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    clicks: list[Job[Any]] = []
    fill_rows = filling.fill_rows
    fresh, other = RelevanceStore(store.answer), RelevanceStore(store.answer)

    def noted(model: Any, filled: RelevanceStore, indices: Any, *rest: Any) -> Any:
        order.append("all")
        if len(order) == 2:
            clicks.append(host.run("bob", explain_task(other, make_target(store.answer, 0))))
        return fill_rows(model, filled, indices, *rest)

    def explain_whole(*arguments: Any) -> Any:
        order.append("click")
        return original(*arguments)

    original = filling.explain_whole
    monkeypatch.setattr(filling, "fill_rows", noted)
    monkeypatch.setattr(filling, "explain_whole", explain_whole)
    job = host.run("ada", explain_all_task(fresh))
    finish(job)
    finish(*clicks)
    assert order[:4] == ["all", "all", "click", "all"]
    assert clicks[0].state == "done"


def test_a_cancelled_explain_all_keeps_what_it_has(
    host: ModelHost, store: RelevanceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = RelevanceStore(store.answer)
    jobs: list[Job[Any]] = []
    fill_rows = filling.fill_rows
    submitted = threading.Event()

    def cancelling(model: Any, filled: RelevanceStore, indices: Any, *rest: Any) -> Any:
        assert submitted.wait(PATIENCE_SECONDS)
        yield from fill_rows(model, filled, indices, *rest)
        jobs[0].cancel()

    monkeypatch.setattr(filling, "fill_rows", cancelling)
    jobs.append(host.run("ada", explain_all_task(fresh)))
    submitted.set()
    finish(*jobs)
    assert jobs[0].state == "cancelled"
    assert fresh.tensor().filled.sum() == filling.MOST_AT_ONCE_ON_PROCESSORS


def test_the_models_lock_is_free_between_jobs(host: ModelHost, demo_model: Any) -> None:
    load_and_wait(host)
    # A finished job was closed inside the lock; this waits until the worker has left it.
    assert demo_model.lock.acquire(timeout=PATIENCE_SECONDS)
    demo_model.lock.release()
