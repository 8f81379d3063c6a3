"""A table of numbers, a line for each map: whole, or a measure at a time where it has no room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from medgemma_dash.ui.components.whole_table import whole_table
from medgemma_dash.ui.components.window_width import window_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def numbers_table(frame: pd.DataFrame, *, key: str, columns: Mapping[str, Any]) -> None:
    """Draw it; in a narrow window with one of its columns, which the reader chooses.

    columns: Streamlit's settings of some of them. What one of them says under the mouse is written
    below it in a narrow window, for a phone has no mouse.
    """
    measure = None
    if window_width() == "narrow":
        measure = st.selectbox(
            "Measure", list(frame.columns), key=f"{key}_measure", persist_state="session"
        )
        frame = frame[[measure]]
    with st.container(key=key):
        whole_table(frame, {n: columns[n] for n in columns if n in (*frame, "_index")})
    said = columns.get(measure, {}).get("help") if measure is not None else None
    if said:
        st.caption(said)
