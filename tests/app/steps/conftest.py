"""The Step by Step page, with a way to a map that is the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.pipeline import run, tasks
from tests.app.opened import session_of, wait_for
from tests.app.steps.walking import Walking


@pytest.fixture
def walking(fake: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Walking]:
    found = Walking(fake.gate())
    monkeypatch.setattr(run, "pipeline_steps", found.pipeline_steps)
    yield found
    found.gate.set()


@pytest.fixture
def open_steps(open_home: Callable[[], AppTest], walking: Walking) -> Callable[[], AppTest]:
    """The page with the opening sample answered."""

    def open_it() -> AppTest:
        app = open_home().switch_page("pages/4_Step_by_Step.py").run()
        while not walking.walked and tasks.PIPELINE not in session_of(app).jobs:
            wait_for(session_of(app).jobs.unfinished())
            app.run()
        walking.wait_for(1)
        assert not app.exception
        return app

    return open_it
