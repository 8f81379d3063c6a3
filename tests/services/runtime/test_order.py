"""Whose job the engine runs next."""

import threading
from collections.abc import Callable

from medgemma_dash.core.errors import CancelledError
from medgemma_dash.services.runtime.engine import MOST_WAITING_PER_OWNER, Engine
from medgemma_dash.services.runtime.job import Job, JobContext
from tests.services.runtime.held_work import PATIENCE_SECONDS, Gate, finish, note


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


def test_too_many_requests_of_one_session_fail_with_a_message(engine: Engine, gate: Gate) -> None:
    jobs = [
        engine.submit(lambda context: 1, owner="ada", label="work")
        for _ in range(MOST_WAITING_PER_OWNER + 1)
    ]
    assert jobs[-1].state == "failed"
    assert "waiting already" in str(jobs[-1].error)
    assert engine.submit(lambda context: 1, owner="bob", label="work").state == "queued"
