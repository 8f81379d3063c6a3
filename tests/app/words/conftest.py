"""The Target Words page, with maps of words that are the same every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.words import run
from tests.app.opened import session_of, wait_for
from tests.app.words.finding import Finding

PAGE = "pages/5_Target_Words.py"


@pytest.fixture
def finding(
    fake: Any, makers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Finding]:
    found = Finding(fake.gate(), makers.explanation)
    monkeypatch.setattr(run, "words_steps", found.words_steps)
    yield found
    found.gate.set()


@pytest.fixture
def open_words(open_home: Callable[[], AppTest], finding: Finding) -> Callable[[], AppTest]:
    """The page with the opening sample answered, and its first words looked for."""

    def open_it() -> AppTest:
        app = open_home().switch_page(PAGE).run()
        while not finding.plans:
            wait_for(session_of(app).jobs.unfinished())
            app.run()
        assert not app.exception
        return app

    return open_it
