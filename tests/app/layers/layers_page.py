"""The Layers page under a test: what it holds, and what a reader does on it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.app.opened import charts


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["layers_tabs"] = name
    return app.run()


def drawn(app: AppTest) -> set[str]:
    return set(charts(app))
