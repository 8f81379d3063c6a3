"""Clicks on the cells of a map.

Streamlit reports a click on a chart only where no box can be drawn in it, and reports the first
click of a double one as well, which resets the zoom. This invisible component listens to the
figure in the browser, and tells Python of single clicks.
"""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import streamlit as st

from medgemma_dash.ui.components.figure_watch import watching_script

_mount = st.components.v2.component(
    "medgemma_dash_patch_clicks",
    css=".stElementContainer:has(.patch-clicks) { display: none; }",
    js=watching_script(files(__name__).joinpath("patch_clicks.js").read_text("utf-8")),
    isolate_styles=False,
)


def patch_clicks(*, container: str, key: str, on_click: Callable[[], None]) -> None:
    """Run `on_click` when a cell of the one figure in a container is clicked, see `clicked_patch`.

    container: key of the `st.container` that holds the figure.
    """
    _mount(key=key, data={"container": container}, on_cell_change=on_click)


def clicked_patch(key: str) -> tuple[int, int] | None:
    """(row, column) of the cell that was just clicked, inside the callback."""
    state: Any = st.session_state.get(key)
    cell = state.get("cell") if isinstance(state, Mapping) else None
    if not isinstance(cell, list) or len(cell) != 2:
        return None
    if not all(type(place) is int and place >= 0 for place in cell):
        return None
    return cell[0], cell[1]
