"""Notices that the page has lost the program, says so, and that it has come back.

Streamlit greys a page whose program is gone, and leaves an idle one as it is when the connection
is back, even where a new session stands behind it, which knows none of the page's parts: clicks
in them go nowhere. This component says what happens while there is nobody else to say it, and has
the page drawn anew afterwards; the session then learns whose page it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import streamlit as st

UNREACHABLE = "The program cannot be reached; this page connects again by itself."
# By what stands in the address, which the browser knows without the program.
WHAT_THEN = {
    "film": "If it has forgotten the page by then, your question is kept, and the film that you "
    "uploaded has to be opened again.",
    "sample": "If it has forgotten the page by then, the sample is opened and your question asked "
    "again.",
    "nothing": "",
}


@dataclass(frozen=True)
class Returned:
    """A page that came back. session: which it had before. search: its address, from "?" on."""

    session: str
    search: str


_FOLDER = files(__name__)
_mount = st.components.v2.component(
    "medgemma_dash_connection_watch",
    css=_FOLDER.joinpath("connection_watch.css").read_text("utf-8"),
    js=_FOLDER.joinpath("connection_watch.js").read_text("utf-8"),
    isolate_styles=False,
)


def connection_watch(session: str) -> Returned | None:
    """Draw it on every page; what the page was when it last came back, None if it never did.

    session: a name of the session that draws.
    """
    data = {"session": session, "unreachable": UNREACHABLE, "then": WHAT_THEN}
    state: Any = _mount(key="connection_watch", data=data, on_returned_change=_nothing)
    returned = state.get("returned") if isinstance(state, Mapping) else None
    if not isinstance(returned, Mapping):
        return None
    left, search = returned.get("session"), returned.get("search")
    return Returned(left, search) if isinstance(left, str) and isinstance(search, str) else None


def _nothing() -> None:
    """Streamlit keeps the state of those events only that have a callback."""
