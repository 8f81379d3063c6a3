"""Clicks on the cells of a matrix.

Plotly's own click needs a hover before it, and its figure to stand from press to release. This
invisible component sees where the pointer was let go, and tells it as component *state* with a
nonce, as the token strip does: no run that is overtaken takes a click with it, and none is answered
twice.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import streamlit as st

_mount = st.components.v2.component(
    "medgemma_dash_matrix_clicks",
    css=".stElementContainer:has(.matrix-clicks) { display: none; }",
    js=files(__name__).joinpath("matrix_clicks.js").read_text("utf-8"),
    isolate_styles=False,
)


def matrix_clicks(
    *,
    container: str,
    columns: int,
    rows: int,
    key: str,
    on_click: Callable[[tuple[int, int]], None],
) -> None:
    """Call `on_click` with (column, row) when a cell of the one figure in a container is clicked.

    container: key of the `st.container` that holds the figure, whose axes end where the cells do.
    """
    memory = f"_{key}_seen"

    def receive() -> None:
        told: Any = st.session_state.get(key)
        payload = told.get("click") if isinstance(told, Mapping) else None
        if not isinstance(payload, Mapping) or payload.get("nonce") == st.session_state.get(memory):
            return
        st.session_state[memory] = payload.get("nonce")
        column, row = payload.get("column"), payload.get("row")
        if type(column) is not int or type(row) is not int:
            return
        if 0 <= column < columns and 0 <= row < rows:
            on_click((column, row))

    _mount(
        key=key,
        data={"container": container, "columns": columns, "rows": rows},
        on_click_change=receive,
    )
