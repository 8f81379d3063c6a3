"""The engine: states, order, cancelling, heartbeats and failures."""

import gc
import logging
import threading
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest

from medgemma_dash.core.errors import (
    CancelledError,
    MedGemmaDashError,
    OutOfMemoryError,
    TargetError,
)
from medgemma_dash.services.runtime.engine import HEARTBEAT_SECONDS, MOST_WAITING_PER_OWNER, Engine
from medgemma_dash.services.runtime.job import Job, JobContext

# Only ever reached when a test fails; nothing below waits for time to pass.
PATIENCE_SECONDS = 30


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Gate:
    """A place where work stops until the test opens it."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def __call__(self, context: JobContext) -> str:
        self.reached.set()
        assert self.open.wait(PATIENCE_SECONDS)
        context.check()
        return "through"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> Iterator[Engine]:
    made = Engine(clock=clock)
    yield made
    made.close()
    assert not made._worker.is_alive()


@pytest.fixture
def gate(engine: Engine) -> Iterator[Gate]:
    """Work of "someone else" that keeps the worker until the test opens it."""
    made = Gate()
    engine.submit(made, owner="someone else", label="gate")
    assert made.reached.wait(PATIENCE_SECONDS)
    yield made
    made.open.set()


def finish(*jobs: Job[object]) -> None:
    for job in jobs:
        assert job.wait(PATIENCE_SECONDS)


def note(log: list[str], name: str) -> Callable[[JobContext], None]:
    return lambda context: log.append(name)


def test_a_job_goes_from_queued_to_running_to_done(engine: Engine, gate: Gate) -> None:
    own = Gate()
    job = engine.submit(own, owner="ada", label="work")
    assert (job.state, job.queue_position, job.result, job.error) == ("queued", 1, None, None)
    gate.open.set()
    assert own.reached.wait(PATIENCE_SECONDS)
    assert (job.state, job.queue_position) == ("running", 0)
    own.open.set()
    finish(job)
    assert (job.state, job.queue_position, job.result, job.error) == ("done", 0, "through", None)


def test_seconds_count_work_and_not_the_line(engine: Engine, gate: Gate, clock: Clock) -> None:
    def work(context: JobContext) -> None:
        clock.seconds += 3

    job = engine.submit(work, owner="ada", label="work")
    clock.seconds += 5
    assert job.seconds == 0
    gate.open.set()
    finish(job)
    clock.seconds += 7
    assert job.seconds == 3


def test_events_keep_their_order_and_are_read_on_from_an_index(engine: Engine) -> None:
    halfway, go_on = threading.Event(), threading.Event()

    def work(context: JobContext) -> None:
        for number in range(3):
            context.emit(number)
            context.progress(number + 1, 6)
        halfway.set()
        assert go_on.wait(PATIENCE_SECONDS)
        for number in range(3, 6):
            context.emit(number)

    job = engine.submit(work, owner="ada", label="work")
    assert halfway.wait(PATIENCE_SECONDS)
    assert job.events == (0, 1, 2)
    assert job.progress == (3, 6)
    go_on.set()
    finish(job)
    assert job.events[3:] == (3, 4, 5)


def test_jobs_of_many_threads_all_run_once_and_one_at_a_time(engine: Engine) -> None:
    ran: list[str] = []
    inside: list[int] = []
    crowd: list[int] = []

    def work(name: str) -> Callable[[JobContext], str]:
        def run(context: JobContext) -> str:
            inside.append(1)
            crowd.append(len(inside))
            ran.append(name)
            inside.pop()
            return name

        return run

    jobs: list[Job[str]] = []

    def ask(owner: str) -> None:
        jobs.extend(
            engine.submit(work(f"{owner}{number}"), owner=owner, label="work")
            for number in range(20)
        )

    threads = [threading.Thread(target=ask, args=(owner,)) for owner in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    finish(*jobs)
    assert sorted(ran) == sorted(f"{owner}{n}" for owner in ("ada", "bob") for n in range(20))
    assert [job.result for job in jobs if job.owner == "ada"] == [f"ada{n}" for n in range(20)]
    assert set(crowd) == {1}


def test_a_second_request_waits_until_every_other_session_was_served(
    engine: Engine, gate: Gate
) -> None:
    log: list[str] = []
    jobs = [
        engine.submit(note(log, name), owner=name[:3], label=name)
        for name in ("ada1", "ada2", "ada3", "bob1", "bob2", "cyd1")
    ]
    assert [job.queue_position for job in jobs] == [1, 4, 6, 2, 5, 3]
    gate.open.set()
    finish(*jobs)
    assert log == ["ada1", "bob1", "cyd1", "ada2", "bob2", "ada3"]


def test_a_newer_request_of_the_same_name_wins_and_keeps_the_place(
    engine: Engine, gate: Gate
) -> None:
    log: list[str] = []
    first = engine.submit(note(log, "first"), owner="ada", label="click", supersedes="click")
    other = engine.submit(note(log, "other"), owner="bob", label="click", supersedes="click")
    last = engine.submit(note(log, "last"), owner="ada", label="click", supersedes="click")
    assert first.state == "cancelled"
    assert isinstance(first.error, CancelledError)
    assert (last.queue_position, other.queue_position) == (1, 2)
    gate.open.set()
    finish(last, other)
    assert log == ["last", "other"]


def test_a_newer_request_stops_the_running_one_at_its_next_check(engine: Engine) -> None:
    own = Gate()
    old = engine.submit(own, owner="ada", label="click", supersedes="click")
    assert own.reached.wait(PATIENCE_SECONDS)
    new = engine.submit(lambda context: 1, owner="ada", label="click", supersedes="click")
    assert old.state == "running"
    assert old.stopping
    own.open.set()
    finish(old, new)
    assert (old.state, new.state) == ("cancelled", "done")


def test_a_waiting_job_is_cancelled_at_once_and_never_starts(engine: Engine, gate: Gate) -> None:
    log: list[str] = []
    job = engine.submit(note(log, "ran"), owner="ada", label="work")
    behind = engine.submit(note(log, "behind"), owner="bob", label="work")
    job.cancel()
    assert job.state == "cancelled"
    assert job.wait(0)
    assert behind.queue_position == 1
    gate.open.set()
    finish(behind)
    assert log == ["behind"]


def test_cancelled_stays_cancelled_when_the_work_never_looked(engine: Engine) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def work(context: JobContext) -> str:
        reached.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return "too late"

    job = engine.submit(work, owner="ada", label="work")
    assert reached.wait(PATIENCE_SECONDS)
    job.cancel()
    go_on.set()
    finish(job)
    assert (job.state, job.result) == ("cancelled", None)
    job.cancel()
    assert job.state == "cancelled"


def test_a_closed_page_ends_its_running_job_at_the_next_check(engine: Engine, clock: Clock) -> None:
    own = Gate()
    job = engine.submit(own, owner="ada", label="work")
    assert own.reached.wait(PATIENCE_SECONDS)
    clock.seconds += HEARTBEAT_SECONDS + 0.5
    own.open.set()
    while not job.finished:  # not wait(): waiting is a sign of life
        threading.Event().wait(0.001)
    assert job.state == "cancelled"
    assert "closed" in str(job.error)


def test_a_closed_page_takes_its_waiting_job_out_of_the_line(
    engine: Engine, gate: Gate, clock: Clock
) -> None:
    closed = engine.submit(lambda context: 1, owner="ada", label="work")
    open_ = engine.submit(lambda context: 2, owner="bob", label="work")
    mine = engine.submit(lambda context: 3, owner="cyd", label="work")
    script = engine.submit(
        lambda context: 4, owner="dee", label="work", needs_heartbeat=False, background=True
    )
    clock.seconds += 0.75 * HEARTBEAT_SECONDS
    open_.heartbeat()
    mine.heartbeat()
    clock.seconds += 0.75 * HEARTBEAT_SECONDS
    assert open_.queue_position == 1
    assert closed.state == "cancelled"
    gate.open.set()
    finish(open_, mine, script)
    assert (open_.result, mine.result, script.result) == (2, 3, 4)


def steps(
    log: list[str], name: str, count: int
) -> Callable[[JobContext], Generator[None, None, int]]:
    def work(context: JobContext) -> Generator[None, None, int]:
        for number in range(count):
            context.check()
            log.append(f"{name}{number}")
            context.progress(number + 1, count)
            yield
        return count

    return work


def test_a_click_goes_between_the_steps_of_another_sessions_long_job(engine: Engine) -> None:
    log: list[str] = []
    clicks: list[Job[None]] = []

    def long_work(context: JobContext) -> Generator[None, None, str]:
        for number in range(4):
            log.append(f"step{number}")
            if number == 1:
                clicks.append(engine.submit(note(log, "click"), owner="bob", label="click"))
                assert clicks[0].queue_position == 1
            yield
        return "all"

    job = engine.submit_steps(long_work, owner="ada", label="all", background=True)
    finish(job)
    finish(*clicks)
    assert log == ["step0", "step1", "click", "step2", "step3"]
    assert job.result == "all"


def test_long_jobs_of_several_sessions_take_turns(engine: Engine, gate: Gate) -> None:
    log: list[str] = []
    jobs = [
        engine.submit_steps(steps(log, name, 3), owner=name, label="all", background=True)
        for name in ("a", "b")
    ]
    gate.open.set()
    finish(*jobs)
    assert log == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert [job.result for job in jobs] == [3, 3]


def test_a_long_job_between_two_steps_counts_as_running_and_is_cancelled_at_once(
    engine: Engine,
) -> None:
    stepped, click = threading.Event(), Gate()
    closed_by: list[str] = []

    def long_work(context: JobContext) -> Generator[None, None, None]:
        try:
            stepped.set()
            engine.submit(click, owner="bob", label="click")
            yield
            raise AssertionError("It went on.")
        finally:
            closed_by.append(threading.current_thread().name)

    job = engine.submit_steps(long_work, owner="ada", label="all", background=True)
    assert click.reached.wait(PATIENCE_SECONDS)
    assert (job.state, job.queue_position) == ("running", 1)
    job.cancel()
    assert job.state == "cancelled"
    assert closed_by == []
    click.open.set()
    finish(engine.submit(lambda context: None, owner="ada", label="after"))
    assert closed_by == ["engine"]


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
    assert "test_engine.py" in caplog.text
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


def test_the_guard_is_held_in_every_step_and_free_between_them() -> None:
    held: list[str] = []
    log: list[tuple[str, ...]] = []

    @contextmanager
    def guard() -> Iterator[None]:
        held.append("guard")
        try:
            yield
        finally:
            held.pop()

    def long_work(context: JobContext) -> Generator[None, None, None]:
        for _ in range(2):
            log.append(tuple(held))
            yield

    engine = Engine(guard=guard)
    try:
        job = engine.submit_steps(long_work, owner="ada", label="all")
        finish(job)
        assert log == [("guard",), ("guard",)]
        assert held == []
    finally:
        engine.close()


def test_a_finished_job_is_forgotten_with_its_work_and_result(engine: Engine) -> None:
    class Picture:
        pass

    picture = Picture()
    kept = weakref.ref(picture)

    def work(context: JobContext, picture: Picture = picture) -> Picture:
        return picture

    job = engine.submit(work, owner="ada", label="work", supersedes="click")
    finish(job)
    finish(engine.submit(lambda context: None, owner="bob", label="next"))
    assert job.result is picture
    del picture, work, job
    gc.collect()
    assert kept() is None


def test_too_many_requests_of_one_session_fail_with_a_message(engine: Engine, gate: Gate) -> None:
    jobs = [
        engine.submit(lambda context: 1, owner="ada", label="work")
        for _ in range(MOST_WAITING_PER_OWNER + 1)
    ]
    assert jobs[-1].state == "failed"
    assert "waiting already" in str(jobs[-1].error)
    assert engine.submit(lambda context: 1, owner="bob", label="work").state == "queued"


def test_a_known_result_is_a_finished_job(engine: Engine, gate: Gate) -> None:
    job = engine.finished("known", owner="ada", label="answer", events=["kn", "own"])
    assert (job.state, job.result, job.events, job.queue_position) == (
        "done",
        "known",
        ("kn", "own"),
        0,
    )


def test_closing_cancels_what_waits_and_refuses_what_comes() -> None:
    engine = Engine()
    own = Gate()
    running = engine.submit(own, owner="ada", label="work")
    assert own.reached.wait(PATIENCE_SECONDS)
    waiting = engine.submit(lambda context: 1, owner="bob", label="work")
    closing = threading.Thread(target=engine.close)
    closing.start()
    finish(waiting)
    own.open.set()
    closing.join(PATIENCE_SECONDS)
    assert (running.state, waiting.state) == ("cancelled", "cancelled")
    late = engine.submit(lambda context: 1, owner="bob", label="work")
    assert late.state == "failed"
    assert "closing" in str(late.error)


def test_work_cut_in_steps_that_is_no_generator_is_a_plain_failure(engine: Engine) -> None:
    job = engine.submit_steps(lambda context: 3, owner="ada", label="work")  # type: ignore[arg-type,return-value]
    finish(job)
    assert "TypeError" in str(job.error)
