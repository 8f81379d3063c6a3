"""The Layers page, with looks into the model that say the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.layers import tasks, view
from tests.app.layers.looking import Looking
from tests.app.opened import session_of, wait_for


@pytest.fixture
def looking(fake: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    found = Looking(fake.gate())
    for name in ("view_steps", "attention_of"):
        monkeypatch.setattr(view, name, getattr(found, name))
    yield found
    found.gate.set()


@pytest.fixture
def open_layers(open_home: Callable[[], AppTest], looking: Looking) -> Callable[[], AppTest]:
    """The Layers page with the opening sample answered."""

    def open_it() -> AppTest:
        app = open_home().switch_page("pages/3_Layers.py").run()
        while not looking.looked and tasks.LAYERS not in session_of(app).jobs:
            wait_for(session_of(app).jobs.unfinished())
            app.run()
        looking.wait_for(1)
        assert not app.exception
        return app

    return open_it
