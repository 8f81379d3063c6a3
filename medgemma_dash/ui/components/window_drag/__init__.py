"""Windowing by dragging over the radiograph, as in viewers of radiographs.

While the reader drags, the browser alone changes the picture, by a filter; where they let go,
Python is told, and draws the radiograph in that window.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from math import isfinite
from typing import Any

import streamlit as st

from medgemma_dash.core.radiograph import Window

_FOLDER = files(__name__)

_mount = st.components.v2.component(
    "medgemma_dash_window_drag",
    css=_FOLDER.joinpath("window_drag.css").read_text("utf-8"),
    js=_FOLDER.joinpath("window_drag.js").read_text("utf-8"),
    isolate_styles=False,
)


def window_drag(
    *,
    container: str,
    key: str,
    window: Window,
    low: float,
    high: float,
    narrowest: float,
    on_window: Callable[[], None],
) -> None:
    """Dragging to the side changes the width, up and down the centre; see `dragged_window`.

    container: key of the `st.container` with the figure whose radiograph it is.
    window: what is shown. low, high: the radiograph's intensities. narrowest: the least width.
    """
    data = {
        "container": container,
        "centre": window.centre,
        "width": window.width,
        "low": low,
        "high": high,
        "narrowest": narrowest,
    }
    _mount(key=key, data=data, on_window_change=on_window)


def dragged_window(key: str) -> tuple[float, float] | None:
    """(centre, width) where the reader let go just now, inside the callback."""
    state: Any = st.session_state.get(key)
    chosen = state.get("window") if isinstance(state, Mapping) else None
    if not isinstance(chosen, list) or len(chosen) != 2:
        return None
    if not all(type(end) in (int, float) and isfinite(end) for end in chosen):
        return None
    centre, width = (float(end) for end in chosen)
    return (centre, width) if width > 0 else None
