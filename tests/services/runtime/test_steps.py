"""Long jobs in steps, between which others get a turn."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

from medgemma_dash.services.runtime.engine import Engine
from medgemma_dash.services.runtime.job import Job, JobContext
from medgemma_dash.services.runtime.queue import IN_SIGHT_SECONDS
from tests.services.runtime.held_work import PATIENCE_SECONDS, Clock, Gate, finish, note


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


def test_a_long_job_whose_page_was_left_lets_those_in_sight_go_first(
    engine: Engine, gate: Gate, clock: Clock
) -> None:
    log: list[str] = []
    left, shown = (
        engine.submit_steps(steps(log, name, 3), owner="ada", label="all")
        for name in ("left", "shown")
    )
    clock.seconds += IN_SIGHT_SECONDS + 1
    left.heartbeat(in_sight=False)
    shown.heartbeat()
    gate.open.set()
    finish(shown)
    finish(left)
    assert log == ["shown0", "shown1", "shown2", "left0", "left1", "left2"]


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


def test_work_cut_in_steps_that_is_no_generator_is_a_plain_failure(engine: Engine) -> None:
    job = engine.submit_steps(lambda context: 3, owner="ada", label="work")  # type: ignore[arg-type,return-value]
    finish(job)
    assert "TypeError" in str(job.error)
