"""The host: background loading, asking and explaining through the engine."""

import re
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medgemma_dash.core.errors import ModelError, ModelNotFoundError, OutOfMemoryError
from medgemma_dash.core.settings import Settings
from medgemma_dash.core.target import Against
from medgemma_dash.services.explaining import filling
from medgemma_dash.services.explaining.answer_cache import AnswerCache
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import ask_task, explain_all_task, explain_task
from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.services.runtime.job import Job, JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Known, Task
from tests.services.makers import make_answer, make_radiograph, make_target

# Only ever reached when a test fails; nothing below waits for time to pass.
PATIENCE_SECONDS = 120
QUESTION = "Is there evidence of pneumonia?"


class FakeModel(SimpleNamespace):
    """What the host itself touches of a model."""

    def __init__(self) -> None:
        super().__init__(name="demo", revision="abc123", dtype="float32", device="cpu")
        self.lock = threading.RLock()
        self.drops = 0

    def drop_caches(self) -> None:
        self.drops += 1


def finish(*jobs: Job[Any]) -> None:
    for job in jobs:
        assert job.wait(PATIENCE_SECONDS)


@pytest.fixture
def fake_host() -> Iterator[ModelHost]:
    host = ModelHost(Settings(), load=lambda settings, context: FakeModel())  # type: ignore[arg-type,return-value]
    yield host
    host.close()


def load_and_wait(host: ModelHost) -> None:
    finish(host.engine.submit(lambda context: None, owner="test", label="after loading"))


ROOT = Path(__file__).parents[2]
TASKS = [
    f"medgemma_dash.services.{of}"
    for of in ("runtime.host", "explaining.tasks", "faithfulness.tasks", "layers.tasks")
]


@pytest.mark.parametrize("module", TASKS)
def test_importing_the_host_or_tasks_imports_no_torch(module: str) -> None:
    code = (
        f"import sys, {module}; "
        "print([name for name in ('torch', 'transformers', 'streamlit') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert run.stdout.decode().strip() == "[]"


def test_what_frames_every_page_imports_no_torch() -> None:
    """Else the first page waits for it; Streamlit's collection after every run takes long, too."""
    framing = re.findall(
        r"    from (medgemma_dash\S+) import", (ROOT / "Home.py").read_text("utf-8")
    )
    code = f"import sys, {', '.join(framing)}, medgemma_dash.ui.components.chart"
    code += "; print([name for name in ('torch', 'transformers') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert len(framing) > 5
    assert run.stdout.decode().strip() == "[]"


def test_the_model_loads_in_the_background_and_says_what_it_does() -> None:
    reached, go_on = threading.Event(), threading.Event()

    def load(settings: Settings, context: JobContext) -> FakeModel:
        context.emit("Reading the weights.")
        reached.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return FakeModel()

    host = ModelHost(Settings(), load=load)  # type: ignore[arg-type]
    try:
        assert reached.wait(PATIENCE_SECONDS)
        assert (host.state, host.message) == ("loading", "Reading the weights.")
        with pytest.raises(ModelError, match="Reading the weights"):
            _ = host.model
        go_on.set()
        load_and_wait(host)
        assert (host.state, host.message, host.model.name) == ("ready", "", "demo")
        assert host.seconds > 0
    finally:
        go_on.set()
        host.close()


def test_a_model_that_cannot_be_loaded_says_why_and_may_be_replaced() -> None:
    def load(settings: Settings, context: JobContext) -> FakeModel:
        if settings.model == "missing":
            raise ModelNotFoundError("There is no model 'missing'.")
        return FakeModel()

    host = ModelHost(Settings(model="missing"), load=load)  # type: ignore[arg-type]
    try:
        load_and_wait(host)
        assert (host.state, host.message) == ("failed", "There is no model 'missing'.")
        job = host.run("ada", ask_task(make_radiograph(), QUESTION, AnswerCache()))
        finish(job)
        assert isinstance(job.error, ModelError)
        assert str(job.error) == "There is no model 'missing'."
        host.reload(Settings(model="demo"))
        load_and_wait(host)
        assert host.state == "ready"
    finally:
        host.close()


@pytest.mark.parametrize("first", ["begin", "reload", "question"])
def test_a_host_that_was_not_started_loads_once_when_it_is_first_needed(first: str) -> None:
    loaded: list[Settings] = []

    def load(settings: Settings, context: object) -> object:
        loaded.append(settings)
        return FakeModel()

    host = ModelHost(Settings(), load=load, start=False)  # type: ignore[arg-type]
    try:
        assert (host.state, host.seconds, loaded) == ("loading", 0, [])
        if first == "question":
            host.run("a", ask_task(make_radiograph(), "What is it?", AnswerCache()))
        else:
            getattr(host, first)()
        host.begin()
        load_and_wait(host)
        assert host.state == "ready"
        assert len(loaded) == 1
    finally:
        host.close()


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


# From here on with the real demo model.


@pytest.fixture(scope="module")
def host(demo_model: Any) -> Iterator[ModelHost]:
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


def test_a_task_in_steps_gets_the_model_that_is_loaded_at_each_step(fake_host: ModelHost) -> None:
    load_and_wait(fake_host)
    seen: list[object] = []

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, str]:
        seen.append(current())
        fake_host.reload()
        yield
        seen.append(current())
        return "done"

    # In the background: loading goes before the second step.
    job = fake_host.run("ada", Task("Looking twice", "look", work, in_steps=True, background=True))
    finish(job)
    assert job.result == "done"
    assert len({id(model) for model in seen}) == 2


def test_a_task_that_knows_its_result_is_done_at_once_and_wins_over_an_older_one(
    fake_host: ModelHost,
) -> None:
    load_and_wait(fake_host)
    reached, go_on = threading.Event(), threading.Event()

    def work(current: CurrentModel, context: JobContext) -> int:
        reached.set()
        assert go_on.wait(PATIENCE_SECONDS)
        context.check()
        return 1

    older = fake_host.run("ada", Task("Counting", "count", work))
    assert reached.wait(PATIENCE_SECONDS)
    newer = fake_host.run("ada", Task("Counting", "count", work, known=Known(2, ("one", "two"))))
    assert (newer.state, newer.result, newer.events) == ("done", 2, ("one", "two"))
    go_on.set()
    finish(older)
    assert older.state == "cancelled"
