"""A Plotly figure in the page's own typeface, with nothing that calls out, and choices in it.

Streamlit's own chart is made anew from nothing whenever its figure changes: of a click's time in
the browser that was the longest part. This one keeps what is drawn and changes what differs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from medgemma_dash.core.plotly_script import PLOTLY_SCRIPT
from medgemma_dash.figures import PLOTLY_CONFIG
from medgemma_dash.ui.components.figure_files import caption

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record

FONT = '"Source Sans", "Source Sans Pro", sans-serif'
HEIGHT_PX = 450  # Plotly's own, of a figure that has none

_mount = st.components.v2.component(
    "medgemma_dash_chart",
    css=files(__name__).joinpath("chart.css").read_text("utf-8"),
    js=files(__name__).joinpath("chart.js").read_text("utf-8"),
    isolate_styles=False,
)


def chart(
    figure: Any,
    *,
    key: str,
    alt: str,
    tools: bool = False,
    about: Sequence[tuple[str, str]] = (),
    record: Record | None = None,
    height: Literal["content", "stretch"] = "content",
    on_select: Callable[[], None] | None = None,
    points: bool = False,
) -> None:
    """Draw a figure; `alt` says in words what it shows. tools: zoom buttons on hover.

    about, record: what it is of, for its file; see `caption`.
    height: of the figure's layout, or all that its container has.
    on_select: called when the reader chose in it, one of its points by a click or several by the
        box or lasso that its layout draws; `selection_of` has it then.
    The part of the page that holds it carries `key` as a class, for tests and user styles.
    """
    # Set one by one: `update_layout` takes four times as long.
    layout = figure.layout
    layout.font.family = layout.hoverlabel.font.family = FONT
    layout.meta = caption(alt, key, about, record)
    config = dict(PLOTLY_CONFIG) | ({} if tools else {"displayModeBar": False})
    if points:
        layout.clickmode = "event+select"
    data = {
        "figure": figure.to_json(validate=False),
        "config": config,
        "alt": alt,
        "height": 0 if height == "stretch" else layout.height or HEIGHT_PX,
        "whole": tools,
        "library": PLOTLY_SCRIPT,
    }
    if on_select is not None:
        _mount(key=key, data=data, height=height, on_selection_change=on_select)
        return
    with st.container(key=key):
        _mount(key=f"{key}_chart", data=data, height=height)


def selection_of(key: str) -> Mapping[str, Any]:
    """What was chosen in the chart with this key, inside its callback.

    points: a list of them, each with its `customdata` and `place` in its trace.
    box, lasso: what was drawn, each with `x` and `y` in the axes' units: two corners, a line.
    """
    told: Mapping[str, Any] = st.session_state[key]["selection"]
    return told
