"""The one component that watches a job: its words, its line, and whom it draws anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.settings import Settings
from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.services.runtime.job import Job, JobContext
from medgemma_dash.services.runtime.queue import JobRecord, Line
from medgemma_dash.services.runtime.task import Task
from medgemma_dash.ui.components.job_watch import describe
from medgemma_dash.ui.state import jobs
from medgemma_dash.ui.state.session import SESSION, Session
from tests.app.browser_events import choose_action, lines_of

PATIENCE_SECONDS = 30


class Work:
    """A computation that a test holds up, or makes fail."""

    def __init__(self) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.runs = 0

    def __call__(self, current: Any, context: Any) -> int:
        self.runs += 1
        context.progress(1, 4)
        context.note("the second")
        self.reached.set()
        while not self.go_on.wait(0.01):
            context.check()
        if self.error is not None:
            raise self.error
        return self.runs


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.go_on.set()


@pytest.fixture
def host(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelHost]:
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0)
    model: Any = SimpleNamespace(lock=threading.RLock(), drop_caches=lambda: None)
    made = ModelHost(Settings(), load=lambda settings, context: model)
    yield made
    work.go_on.set()
    made.close()


def test_a_job_is_described_by_place_progress_and_what_it_is_at(
    host: ModelHost, work: Work
) -> None:
    first = host.run("ada", Task("Counting", "count", work))
    second = host.run("bob", Task("Counting", "count", work))
    assert work.reached.wait(PATIENCE_SECONDS)
    assert describe(first) == "Counting · 1 of 4 · now the second"
    assert describe(second, "by hand") == "Counting by hand · waiting, 1 in line"
    work.reached.clear()
    first.cancel()
    assert describe(first) in ("Counting · stopping", "Counting · 1 of 4")


def test_what_is_left_is_told_once_a_few_seconds_are_known_and_counts_what_was_new() -> None:
    clock = [0.0]
    line = Line(clock=lambda: clock[0])
    record = JobRecord("ada", "Testing", None, False, False, None, None, 0.0, 0.0)
    job, context = Job(record, line), JobContext(record, line)
    record.step_started = 0.0
    clock[0] = 20.0  # before it began to count
    context.progress(200, 1200)
    assert job.seconds_left is None
    clock[0] = 24.0
    context.progress(240, 1200)
    assert job.seconds_left is None
    clock[0] = 30.0
    context.progress(300, 1200)
    assert job.seconds_left == pytest.approx(90.0)
    assert describe(job) == "Testing · 300 of 1,200 · about 2 min left"
    context.progress(0, 3)
    assert job.seconds_left is None, "another count"


def page() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from medgemma_dash.services.runtime.task import Task
    from medgemma_dash.ui.components.job_watch import result_of

    host, work, kept = (st.session_state[name] for name in ("host", "work", "kept"))
    for key in ("one", "two"):
        if key not in kept:
            task = Task("Counting", key, work)
            found = result_of(host, task, "this", again="again", problem=f"no_{key}")
            if found is not None:
                kept[key] = found
        st.text(f"{key}: {kept.get(key)}")
    # How many parts of the page the browser asks for by themselves.
    st.session_state["polled"] = len(get_script_run_ctx().fragment_storage._fragments)


@pytest.fixture
def app(host: ModelHost, work: Work) -> AppTest:
    made = AppTest.from_function(page, default_timeout=60)
    made.session_state["host"], made.session_state["work"] = host, work
    made.session_state["kept"] = {}
    return made.run()


def wait(app: AppTest) -> None:
    session: Session = app.session_state[SESSION]
    for job in session.jobs.unfinished():
        assert job.wait(PATIENCE_SECONDS)


def test_two_jobs_are_watched_side_by_side_and_each_gives_its_result(
    app: AppTest, work: Work
) -> None:
    assert not app.exception
    assert [one.value for one in app.text] == ["one: None", "two: None"]
    assert lines_of(app, "cancel_one")[0].startswith("Counting")
    assert lines_of(app, "cancel_two")[0].startswith("Counting")
    assert app.session_state["polled"] == 2
    work.go_on.set()
    wait(app)
    app.run()
    assert [one.value for one in app.text] == ["one: 1", "two: 2"]


def test_a_failure_is_told_until_it_is_tried_again(app: AppTest, work: Work) -> None:
    choose_action(app, "cancel_two", "cancel")
    work.go_on.set()
    wait(app)
    app.run()
    assert lines_of(app, "no_two") == ["This was stopped on request. again"]
    app.run()
    assert work.runs == 1  # it is not run again by itself
    choose_action(app, "no_two", "again")
    wait(app)
    app.run()
    assert [one.value for one in app.text] == ["one: 1", "two: 2"]
