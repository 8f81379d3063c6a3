"""The Layers page under a test: what it holds, and what a reader does on it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["layers_tabs"] = name
    return app.run()


def drawn(app: AppTest) -> set[str]:
    return {one.key.removesuffix("_chart") for one in app.get("plotly_chart")}
