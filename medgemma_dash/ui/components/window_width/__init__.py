"""How wide the reader's window is, in three classes, for what a style sheet cannot rearrange.

A Plotly figure of several panels is laid out here and not by the browser. The browser tells when
the window is not a wide one, and again when it changes class: on a desktop it says nothing, so
nothing is drawn twice there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import streamlit as st

from medgemma_dash.figures.cell_room import DESK_PX, PHONE_PX, TABLET_PX

WindowWidth = Literal["narrow", "medium", "wide"]

# CSS pixels up to which a window is narrow, and medium: a phone, and a tablet or half a screen.
NARROW_PX, MEDIUM_PX = 640, 1000
# The least that a figure as wide as the page has in each.
ROOM_PX: Mapping[WindowWidth, int] = {"narrow": PHONE_PX, "medium": TABLET_PX, "wide": DESK_PX}
_KEY = "window_width"

_mount = st.components.v2.component(
    "medgemma_dash_window_width",
    js=(Path(__file__).parent / "window_width.js").read_text(encoding="utf-8"),
)


def watch_window_width() -> None:
    """Have the browser tell its class; call once, from the entry script."""
    with st.container(key="window_width_place"):
        _mount(
            key=_KEY,
            data={"narrow": NARROW_PX, "medium": MEDIUM_PX, "known": window_width()},
            on_width_change=_ignore,
        )


def window_width() -> WindowWidth:
    """What the browser told; a wide window until it has."""
    state = st.session_state.get(_KEY)
    told = state.get("width") if isinstance(state, Mapping) else None
    return told if told in ("narrow", "medium") else "wide"


def _ignore() -> None:
    """The run that the news causes draws everything."""
