"""Notices that the page has come back to the program after the connection was lost.

Streamlit then leaves an idle page as it is, even where a new session stands behind it, which
knows none of the page's parts: clicks in them go nowhere. This invisible component asks for the
page to be drawn anew, and tells the session what the page had open.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import streamlit as st

_HIDDEN = ".stElementContainer:has(.connection-watch) { display: none; }"

_mount = st.components.v2.component(
    "medgemma_dash_connection_watch",
    css=_HIDDEN,
    js=files(__name__).joinpath("connection_watch.js").read_text("utf-8"),
    isolate_styles=False,
)


def connection_watch() -> int:
    """Draw it; how often the browser came back since the page was loaded."""
    state: Any = _mount(key="connection_watch", data={}, on_returned_change=_nothing)
    returned = state.get("returned") if isinstance(state, Mapping) else None
    return returned if type(returned) is int else 0


def _nothing() -> None:
    """Streamlit keeps the state of those events only that have a callback."""
