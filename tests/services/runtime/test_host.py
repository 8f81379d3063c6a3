"""The host: loading in the background, and what becomes of tasks meanwhile."""

import threading
from collections.abc import Generator

import pytest

from medgemma_dash.core.errors import ModelError, ModelNotFoundError
from medgemma_dash.core.settings import Settings
from medgemma_dash.services.explaining.answer_cache import AnswerCache
from medgemma_dash.services.explaining.tasks import ask_task
from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Known, Task
from tests.services.hosts import PATIENCE_SECONDS, FakeModel, finish, load_and_wait
from tests.services.makers import make_radiograph


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
        job = host.run("ada", ask_task(make_radiograph(), "What is it?", AnswerCache()))
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
