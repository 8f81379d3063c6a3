"""Jobs that fail: plain messages, memory given back, and a worker that lives on."""

import gc
import logging
import weakref
from collections.abc import Callable

import pytest

from medgemma_dash.core.errors import MedGemmaDashError, OutOfMemoryError, TargetError
from medgemma_dash.services.runtime.engine import Engine
from medgemma_dash.services.runtime.job import JobContext
from tests.services.runtime.held_work import finish


@pytest.mark.parametrize("raised", [ValueError("secret"), KeyboardInterrupt(), SystemExit(3)])
def test_a_failing_job_leaves_the_worker_alive_and_its_message_plain(
    engine: Engine, caplog: pytest.LogCaptureFixture, raised: BaseException
) -> None:
    def work(context: JobContext) -> None:
        raise raised

    with caplog.at_level(logging.ERROR):
        job = engine.submit(work, owner="ada", label="Explaining")
        finish(job)
    assert job.state == "failed"
    assert type(job.error) is MedGemmaDashError
    assert type(raised).__name__ in str(job.error)
    assert "secret" not in str(job.error) + caplog.text
    assert "test_job_failures.py" in caplog.text
    after = engine.submit(lambda context: "alive", owner="ada", label="work")
    finish(after)
    assert after.result == "alive"


def test_errors_on_purpose_pass_through_without_their_frames(engine: Engine) -> None:
    def work(context: JobContext) -> None:
        try:
            {}["hidden"]
        except KeyError as missing:
            raise TargetError('"lung" is not in the answer.') from missing

    job = engine.submit(work, owner="ada", label="work")
    finish(job)
    assert isinstance(job.error, TargetError)
    assert str(job.error) == '"lung" is not in the answer.'
    assert job.error.__traceback__ is None
    assert job.error.__cause__ is None


def torch_out_of_memory() -> BaseException:
    torch = pytest.importorskip("torch")
    error: BaseException = torch.OutOfMemoryError("CUDA out of memory")
    return error


@pytest.mark.parametrize(
    "make",
    [
        MemoryError,
        torch_out_of_memory,
        lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 1 GB"),
        lambda: RuntimeError("MPS backend out of memory"),
        lambda: OutOfMemoryError("The model said so itself."),
    ],
)
def test_running_out_of_memory_drops_the_caches_after_the_work_is_free(
    make: Callable[[], BaseException],
) -> None:
    class Tensor:
        pass

    held: list[weakref.ref[Tensor]] = []
    seen: list[bool] = []

    def drop_caches() -> None:
        gc.collect()
        seen.append(held[0]() is None)

    def work(context: JobContext) -> None:
        tensor = Tensor()
        held.append(weakref.ref(tensor))
        raise make()

    engine = Engine(on_out_of_memory=drop_caches)
    try:
        job = engine.submit(work, owner="ada", label="Explaining a word")
        finish(job)
        assert isinstance(job.error, OutOfMemoryError)
        assert seen == [True]
        finish(engine.submit(lambda context: None, owner="ada", label="next"))
    finally:
        engine.close()


def test_a_failure_while_freeing_memory_is_logged_and_survived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def drop_caches() -> None:
        raise RuntimeError("device lost")

    def work(context: JobContext) -> None:
        raise MemoryError

    engine = Engine(on_out_of_memory=drop_caches)
    try:
        job = engine.submit(work, owner="ada", label="work")
        finish(job)
        assert isinstance(job.error, OutOfMemoryError)
        assert "RuntimeError in 'freeing memory'" in caplog.text
    finally:
        engine.close()
