"""A table of numbers that is seen whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd


def whole_table(frame: pd.DataFrame, columns: Mapping[str, Any] | None = None) -> None:
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
