"""The Compare page under a test: what it holds, and what a reader does on it."""

from __future__ import annotations

from typing import Any

from streamlit.testing.v1 import AppTest

from medgemma_dash.services.explaining.tasks import COMPARE
from medgemma_dash.services.runtime.job import Job
from medgemma_dash.ui.pages.compare.pins import pin_map
from medgemma_dash.ui.pages.compare.state import COMPARED, CompareState, Comparison, Pin, Pins
from medgemma_dash.ui.state.actions import open_sample
from medgemma_dash.ui.state.samples import samples
from tests.app.opened import answered_of, session_of, study_of, wait_for

MISSING = "missing_maps"
AGAIN = "compute the missing maps"


def comparison_of(app: AppTest) -> Comparison:
    comparison = compare_state(app).comparison
    assert comparison is not None
    return comparison


def compare_state(app: AppTest) -> CompareState:
    return session_of(app).page_state(CompareState)


def pins_of(app: AppTest) -> list[Pin]:
    return session_of(app).page_state(Pins).maps


def comparing_job(app: AppTest) -> Job[Any]:
    job = session_of(app).jobs.get(COMPARE)
    assert job is not None
    return job


def arrived(app: AppTest) -> AppTest:
    """Run the page until nothing is awaited any more."""
    while comparison_of(app).awaited:
        wait_for(session_of(app).jobs.unfinished())
        app.run()
    assert not app.exception
    return app


def choose_methods(app: AppTest, *methods: str) -> AppTest:
    app.session_state[COMPARED] = list(methods)
    return app.run()


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["compare_tabs"] = name
    return app.run()


def with_map(app: AppTest) -> list[str]:
    return [one.method for one in comparison_of(app).maps if one.explanation is not None]


def pin(app: AppTest) -> None:
    """What "Pin Chefer" does."""
    one = comparison_of(app).maps[0]
    assert one.explanation is not None
    pin_map(pins_of(app), study_of(app), answered_of(app).answer, one.title, one.explanation)


def open_other_radiograph(app: AppTest) -> AppTest:
    assert open_sample(session_of(app), samples()[1])
    while compare_state(app).comparison is None:
        app.run()
        wait_for(session_of(app).jobs.unfinished())
    return arrived(app)
