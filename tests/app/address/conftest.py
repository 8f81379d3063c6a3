"""Sessions that begin at an address, and the browser's Back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.shell import header
from tests.app.address.addressed import EXPLAIN, ROOT, GoBack, OpenAt


@pytest.fixture
def open_at(host: Any, settle: Callable[[AppTest], AppTest]) -> OpenAt:
    """A new session at a page with an address."""

    def open_it(page: str, **address: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60)
        for name, value in address.items():
            app.query_params[name] = value
        if page != "Home.py":
            app.switch_page(page)
        app.run()
        assert not app.exception
        return settle(app)

    return open_it


@pytest.fixture
def go_back(monkeypatch: pytest.MonkeyPatch, settle: Callable[[AppTest], AppTest]) -> GoBack:
    """What the browser's Back does: the page runs with the address of an earlier entry."""

    def go(app: AppTest, address: dict[str, str]) -> AppTest:
        app.query_params.clear()
        for name, value in address.items():
            app.query_params[name] = value
        with monkeypatch.context() as patch:
            patch.setattr(header, "_by_history", lambda: True)
            # Under a test a page runs without the frame that reads the address.
            app.switch_page("Home.py").run()
        assert not app.exception
        return settle(app.switch_page(EXPLAIN).run())

    return go
