"""The Question Sets page on the real host, with rows that are answered by their truth at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.questions import run
from medgemma_dash.ui.pages.questions.state import runs_under_way
from tests.app.questions.answering import Answering

PAGE = "pages/8_Question_Sets.py"


@pytest.fixture
def answering(fake: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Answering]:
    """In the place of asking the model; runs are kept in a folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = Answering()
    monkeypatch.setattr(run, "row_steps", found.row_steps)
    runs_under_way.clear()
    yield found
    found.gate.set()
    runs_under_way.clear()


@pytest.fixture
def open_questions(open_home: Callable[[], AppTest], answering: Answering) -> Callable[[], AppTest]:
    """The page, as a browser that has just been opened sees it."""

    def open_it() -> AppTest:
        app = open_home().switch_page(PAGE).run()
        assert not app.exception
        return app

    return open_it
