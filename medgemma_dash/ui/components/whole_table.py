"""A table of numbers that is seen whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from medgemma_dash.ui.components.window_width import window_width

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from pandas.io.formats.style import Styler


def whole_table(frame: pd.DataFrame | Styler, columns: Mapping[str, Any] | None = None) -> None:
    """Every line in sight, as wide as there is room; a dash where there is no number.

    columns: what is to be said of them, see `st.column_config`.
    """
    st.dataframe(
        frame,
        width="stretch",
        height="content",
        placeholder="–",
        column_config=None if columns is None else dict(columns),
    )


def more_to_the_right() -> None:
    """Say below a table of many columns that it has more of them, in a window of medium width."""
    if window_width() == "medium":
        st.caption("The table goes on to the right: scroll in it, or open a wider window.")
