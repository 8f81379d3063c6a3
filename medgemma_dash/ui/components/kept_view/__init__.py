"""Keeps the zoom of a Plotly figure when the page is left and drawn anew.

While a figure stands, Plotly's own `uirevision` keeps it. This invisible component listens to the
figure in the browser and tells Python the ranges; a figure that is made from nothing, after another
page was read, is drawn with them.
"""

from collections.abc import Mapping
from importlib.resources import files
from math import isfinite
from typing import Any

import streamlit as st

from medgemma_dash.figures import View
from medgemma_dash.ui.components.figure_watch import watching_script

# Neither the component nor the block of its fragment takes part in the layout, gaps included.
_HIDDEN = """
.stElementContainer:has(.kept-view),
div:has(> .stVerticalBlock > .stElementContainer:only-child .kept-view) {
  display: none;
}
"""

_mount = st.components.v2.component(
    "medgemma_dash_kept_view",
    css=_HIDDEN,
    js=watching_script(files(__name__).joinpath("kept_view.js").read_text("utf-8")),
    isolate_styles=False,
)


def kept_view(*, container: str, key: str, revision: str) -> View | None:
    """The ranges (left, right, bottom, top) that the reader zoomed to, or None for everything.

    container: key of the `st.container` that holds the one figure to watch.
    revision: what the figure shows, as in its `uirevision`; another one starts unzoomed.
    Call it before the figure is made. A zoom reruns nothing but the component's own fragment.
    """
    _listen(container, key)
    return kept_range(key=key, revision=revision)


def kept_range(*, key: str, revision: str) -> View | None:
    """What `kept_view` returns, without its component."""
    return _read(st.session_state.get(key), revision)


@st.fragment
def _listen(container: str, key: str) -> None:
    _mount(key=key, data={"container": container}, on_view_change=_nothing)


def _nothing() -> None:
    """Streamlit keeps the state of those events only that have a callback."""


def _read(state: Any, revision: str) -> View | None:
    payload = state.get("view") if isinstance(state, Mapping) else None
    if not isinstance(payload, Mapping) or payload.get("revision") != revision:
        return None
    ranges = payload.get("ranges")
    if not isinstance(ranges, list) or len(ranges) != 4:
        return None
    if not all(type(end) in (int, float) and isfinite(end) for end in ranges):
        return None
    left, right, bottom, top = (float(end) for end in ranges)
    return (left, right, bottom, top) if left < right and top < bottom else None
