"""A job of the engine: its states, cancelling, heartbeats and end."""

import gc
import threading
import weakref

from medgemma_dash.services.runtime.engine import HEARTBEAT_SECONDS, Engine
from medgemma_dash.services.runtime.job import JobContext
from tests.services.runtime.held_work import PATIENCE_SECONDS, Clock, Gate, finish, note


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
