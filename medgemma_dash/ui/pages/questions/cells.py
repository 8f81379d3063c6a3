"""Numbers and bars that lead to the rows behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.pages.questions.state import Behind, QuestionsState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd


def show_behind(label: str, rows: pd.DataFrame) -> None:
    """Have the page show these rows. label: what they are, as it follows their number."""
    page_state(QuestionsState).behind = Behind(label, tuple(map(int, rows["row"])))


def clicked_point(key: str) -> int | None:
    """The place of the bar that was clicked in the chart with this key, inside its callback."""
    points = st.session_state[key]["selection"]["points"]
    places = [point.get("point_index", point.get("point_number")) for point in points]
    return next((int(place) for place in places if place is not None), None)


def cells_table(
    frame: pd.DataFrame,
    *,
    key: str,
    hints: Mapping[str, str],
    on_cell: Callable[[int, str], None],
    formats: Mapping[str, str] | None = None,
) -> None:
    """A table each of whose cells can be clicked; its index names the lines.

    hints: of its columns. on_cell: is given the line's place and the column's name.
    """

    def clicked() -> None:
        cells = st.session_state[key]["selection"]["cells"]
        if cells:
            place, name = cells[0]
            on_cell(int(place), str(name))

    settings = {
        name: st.column_config.NumberColumn(help=hint, format=(formats or {}).get(name))
        if frame[name].dtype.kind in "if"
        else st.column_config.TextColumn(help=hint)
        for name, hint in hints.items()
        if name in frame
    }
    st.dataframe(
        frame,
        width="stretch",
        height="content",
        placeholder="–",
        column_config=settings,
        key=key,
        on_select=clicked,
        selection_mode="single-cell",
    )
