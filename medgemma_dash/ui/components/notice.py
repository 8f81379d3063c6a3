"""What the session has to say to the user."""

from __future__ import annotations

import streamlit as st

from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.state.session import current_session


def notice_line() -> None:
    """Say what became of the last action, if there is something to say."""
    notice = current_session().notice
    if notice is not None:
        with st.container(key="notice"):
            rich_line(
                [[Segment(notice.text)]],
                key="notice_line",
                tone=notice.tone,
                announce="alert" if notice.tone == "error" else "status",
            )
