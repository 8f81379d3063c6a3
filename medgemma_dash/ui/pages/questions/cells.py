"""Numbers and bars that lead to the rows behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from medgemma_dash.ui.components.chart import chart, selection_of
from medgemma_dash.ui.pages.questions.state import Behind, QuestionsState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    Rows = Callable[[int, str], tuple[str, pd.DataFrame]]


def bars_chart(figure: Any, *, key: str, alt: str, rows: Rows) -> None:
    """A chart each of whose bars shows the rows behind it.

    rows: of a bar's place and "": what they are, as it follows their number, and the rows.
    """

    def place() -> int | None:
        return next((int(point["place"]) for point in selection_of(widget)["points"]), None)

    widget = _widget(f"{key}_chart")
    with st.container(key=key):
        chart(
            figure,
            key=widget,
            alt=alt,
            on_select=lambda: _chosen(widget, place(), "", rows),
            points=True,
        )


def cells_table(frame: pd.DataFrame, *, key: str, hints: Mapping[str, str], rows: Rows) -> None:
    """A table each of whose cells shows the rows behind it; its index names the lines.

    hints: of its columns, "_index" of the first. rows: of the line's place and the column's name;
    as of `bars_chart`.
    """

    def clicked() -> None:
        cells = st.session_state[widget]["selection"]["cells"]
        place, name = cells[0] if cells else (None, "")
        _chosen(widget, place, str(name), rows)

    settings = {
        name: (
            st.column_config.NumberColumn(help=hint)
            if frame[name].dtype.kind in "if"
            else st.column_config.TextColumn(help=hint)
        )
        for name, hint in hints.items()
        if name in frame
    }
    widget = _widget(f"{key}_cells")
    settings["_index"] = st.column_config.Column(help=hints["_index"])
    with st.container(key=key):
        st.dataframe(
            frame,
            width="stretch",
            height="content",
            placeholder="–",
            column_config=settings,
            key=widget,
            on_select=clicked,
            selection_mode="single-cell",
        )


def show_all() -> None:
    """Show every row again, and have nothing chosen any more."""
    state = page_state(QuestionsState)
    _let_go(state)
    state.behind, state.chosen_in = None, ""


def _chosen(widget: str, place: int | None, name: str, rows: Rows) -> None:
    state = page_state(QuestionsState)
    if place is None:  # what was chosen was clicked again
        if state.chosen_in == widget:
            state.behind, state.chosen_in = None, ""
        return
    if state.chosen_in != widget:
        _let_go(state)
    label, found = rows(int(place), name)
    state.behind, state.chosen_in = Behind(label, tuple(map(int, found["row"]))), widget


def _let_go(state: QuestionsState) -> None:
    """Have a new widget, with nothing chosen, in the place of that in which something was."""
    name = state.chosen_in.partition("-")[0]
    if name:
        state.turns[name] = state.turns.get(name, 0) + 1


def _widget(name: str) -> str:
    turn = page_state(QuestionsState).turns.get(name, 0)
    return f"{name}-{turn}" if turn else name
