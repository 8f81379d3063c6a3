"""Where a film was to be shown that is not there: a place to open it again, and no other film."""

from __future__ import annotations

import streamlit as st

from medgemma_dash.ui.components.picker import opener


def nothing_open() -> None:
    """Draw it; why the film is missing is the session's notice."""
    with st.container(key="nothing_open", border=True, width=640):
        opener()
