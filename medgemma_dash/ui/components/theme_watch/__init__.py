"""Has the page drawn anew when its theme changes while it stands there.

Streamlit follows the system's theme by itself, at once; what is drawn in Python (Plotly's figures,
the zone table) would keep the colours of the theme before until something else is done.
"""

from importlib.resources import files

import streamlit as st

from medgemma_dash.ui.components.theme import is_dark

_mount = st.components.v2.component(
    "medgemma_dash_theme_watch",
    css=".stElementContainer:has(.theme-watch) { display: none; }",
    js=files(__name__).joinpath("theme_watch.js").read_text("utf-8"),
    isolate_styles=False,
)


def watch_theme() -> None:
    """Listen to the browser; called once, by the entry script."""
    drawn = "dark" if is_dark() else "light"
    _mount(key="theme_watch", data={"drawn": drawn}, on_changed_change=_ignore)


def _ignore() -> None:
    """The run that the news causes draws everything; Streamlit itself tells it the theme."""
