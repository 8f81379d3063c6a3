"""Keeps the browser's address bar in step with what is open.

Streamlit's own `st.query_params` makes an entry in the browser's history for every change, so
that the first Back only takes back what the page wrote itself, and each clicked word would be an
entry. Here the entry at hand is rewritten; only another film on the same page begins a new one.
"""

from importlib.resources import files

import streamlit as st

# The component takes no part in the layout.
_HIDDEN = ".stElementContainer:has(.address-bar) { display: none; }"

_mount = st.components.v2.component(
    "medgemma_dash_address_bar",
    css=_HIDDEN,
    js=files(__name__).joinpath("address_bar.js").read_text("utf-8"),
    isolate_styles=False,
)


def address_bar(search: str, *, turn: int, reached: str | None = None) -> None:
    """Show this behind the question mark. turn: another number for each drawing.

    reached: the address that the reader went back or forward to last, once it was honoured.
    """
    _mount(key="address_bar", data={"search": search, "turn": turn, "reached": reached})
