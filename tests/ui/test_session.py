"""What a session holds: a state for each page, and jobs by the keys of their tasks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.settings import Settings
from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.services.runtime.queue import ABANDONED
from medgemma_dash.services.runtime.task import Task
from medgemma_dash.ui.state.jobs import Jobs
from medgemma_dash.ui.state.session import CHANGED_MEANWHILE, LivesWith, Session
from medgemma_dash.ui.state.study import Study
from tests.services.makers import make_radiograph

PATIENCE_SECONDS = 30


@dataclass
class OfSession:
    lives_with: ClassVar[LivesWith] = "session"
    value: int = 0


@dataclass
class OfStudy:
    lives_with: ClassVar[LivesWith] = "study"
    value: int = 0


@dataclass
class OfAnswer:
    lives_with: ClassVar[LivesWith] = "answer"
    value: int = 0


KINDS = (OfSession, OfStudy, OfAnswer)


@pytest.fixture
def session() -> Session:
    made = Session()
    made.open(Study(make_radiograph(), "first"))
    for kind in KINDS:
        made.page_state(kind).value = 5
    return made


def values(session: Session) -> list[int]:
    return [session.page_state(kind).value for kind in KINDS]


def test_a_page_finds_its_state_again(session: Session) -> None:
    assert values(session) == [5, 5, 5]


def test_a_pages_state_ends_with_what_it_lives_with(session: Session) -> None:
    assert session.study is not None
    session.study.revision += 1  # another answer
    assert values(session) == [5, 5, 0]
    session.page_state(OfAnswer).value = 7
    session.open(Study(make_radiograph(), "second"))
    assert values(session) == [5, 0, 0]
    # What has ended is not kept either, whichever page is shown next.
    assert len(session._pages) == len(KINDS)


def test_a_page_state_of_another_version_is_begun_anew_and_the_reader_is_told(
    session: Session,
) -> None:
    newer = type(
        "OfSession", (), {"lives_with": "session", "added_later": 1, "__module__": __name__}
    )
    assert session.notice is None
    assert session.page_state(newer).added_later == 1  # type: ignore[type-var]
    assert session.notice is not None
    assert session.notice.text == CHANGED_MEANWHILE


@pytest.fixture
def host() -> Iterator[ModelHost]:
    model: Any = SimpleNamespace(lock=threading.RLock(), drop_caches=lambda: None)
    made = ModelHost(Settings(), load=lambda settings, context: model)
    yield made
    made.close()


def counting(log: list[str], name: str, key: str = "count") -> Task[str]:
    def work(current: Any, context: Any) -> str:
        log.append(name)
        return name

    return Task("Counting", key, work)


def test_a_job_is_run_once_for_what_it_is_about(host: ModelHost) -> None:
    log: list[str] = []
    jobs = Jobs("ada")
    first = jobs.ensure(host, counting(log, "one"), about=1)
    assert first.wait(PATIENCE_SECONDS)
    assert jobs.ensure(host, counting(log, "again"), about=1) is first
    other = jobs.ensure(host, counting(log, "two"), about=2)
    assert other.wait(PATIENCE_SECONDS)
    assert log == ["one", "two"]


def test_a_job_whose_page_was_left_is_run_again_and_a_cancelled_one_is_not(host: ModelHost) -> None:
    reached = threading.Event()

    def work(current: Any, context: Any) -> None:
        reached.set()
        go_on.wait(PATIENCE_SECONDS)
        context.check()

    go_on, jobs = threading.Event(), Jobs("ada")
    left = jobs.run(host, Task("Waiting", "wait", work), about=1)
    assert reached.wait(PATIENCE_SECONDS)
    left._line.stop(left._record, ABANDONED)
    go_on.set()
    assert left.wait(PATIENCE_SECONDS)
    again = jobs.ensure(host, Task("Waiting", "wait", work), about=1)
    assert again is not left
    assert again.wait(PATIENCE_SECONDS)
    again.cancel()
    assert jobs.ensure(host, Task("Waiting", "wait", work), about=1) is again


def test_only_what_has_finished_is_taken_over_and_once(host: ModelHost) -> None:
    go_on, jobs = threading.Event(), Jobs("ada")

    def work(current: Any, context: Any) -> int:
        go_on.wait(PATIENCE_SECONDS)
        return 3

    job = jobs.run(host, Task("Waiting", "wait", work), about="this")
    assert jobs.take("wait") is None
    assert jobs.unfinished() == (job,)
    go_on.set()
    assert job.wait(PATIENCE_SECONDS)
    taken = jobs.take("wait")
    assert taken is not None
    assert (taken.job.result, taken.about) == (3, "this")
    assert jobs.take("wait") is None
    assert "wait" not in jobs


def test_another_study_ends_every_job(host: ModelHost) -> None:
    session, go_on = Session(), threading.Event()

    def work(current: Any, context: Any) -> None:
        go_on.wait(PATIENCE_SECONDS)
        context.check()

    waiting = [session.jobs.run(host, Task("Waiting", key, work)) for key in ("one", "two")]
    session.open(Study(make_radiograph(), "another"))
    go_on.set()
    for job in waiting:
        assert job.wait(PATIENCE_SECONDS)
        assert job.state == "cancelled"
    assert session.jobs.unfinished() == ()


def held(until: threading.Event) -> Task[None]:
    return Task("Holding", "hold", lambda _current, _context: until.wait(PATIENCE_SECONDS) and None)


def waiting_page(run):  # type: ignore[no-untyped-def]  # AppTest runs its text alone
    run()


def test_patience_ends_while_a_job_goes_on(host: ModelHost) -> None:
    """Over half a second, which is what patience is."""
    until = threading.Event()

    def run() -> None:
        job = Jobs("ada").run(host, held(until), patient=True)
        assert not job.finished
        until.set()
        assert job.wait(PATIENCE_SECONDS)

    page = AppTest.from_function(waiting_page, args=(run,))
    page.run(timeout=PATIENCE_SECONDS)
    assert not page.exception
    assert until.is_set()


def test_what_the_reader_does_meanwhile_ends_the_wait_and_the_job_is_kept(
    host: ModelHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NewerRun(BaseException):
        """As Streamlit ends a run where it looks at its state."""

    class State:
        def __contains__(self, _key: str) -> bool:
            raise NewerRun

    monkeypatch.setattr(st, "session_state", State())
    until, jobs = threading.Event(), Jobs("ada")
    with pytest.raises(NewerRun):
        jobs.run(host, held(until), patient=True)
    job = jobs.get("hold")
    assert job is not None
    assert not job.finished
    until.set()
    assert job.wait(PATIENCE_SECONDS)
