"""The Compare page, with methods that say the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.explaining import steps
from medgemma_dash.ui.pages.compare import state
from medgemma_dash.ui.pages.compare.state import COMPARED
from tests.app.compare.compare_page import arrived, compare_state
from tests.app.compare.comparing import Comparing
from tests.app.opened import session_of, wait_for


@pytest.fixture
def comparing(
    fake: Any, makers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Comparing]:
    gate = fake.gate()
    found = Comparing(makers.explanation, gate)
    monkeypatch.setattr(steps, "compare_steps", found)
    monkeypatch.setattr(state, "compare_task", found.noted_task)
    yield found
    gate.set()


@pytest.fixture
def open_compare(open_home: Callable[[], AppTest], comparing: Comparing) -> Callable[..., AppTest]:
    """The Compare page with the opening sample answered, and these methods chosen."""

    def open_it(*methods: str) -> AppTest:
        app = open_home()
        if methods:
            app.session_state[COMPARED] = list(methods)
        app.switch_page("pages/2_Compare.py").run()
        while compare_state(app).comparison is None:
            wait_for(session_of(app).jobs.unfinished())
            app.run()
        return arrived(app)

    return open_it
