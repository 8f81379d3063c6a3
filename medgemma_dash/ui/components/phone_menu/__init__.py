"""On a phone the menu of pages closes when a page is chosen."""

from pathlib import Path

import streamlit as st

from medgemma_dash.ui.components.window_width import NARROW_PX

_mount = st.components.v2.component(
    "medgemma_dash_phone_menu",
    js=(Path(__file__).parent / "phone_menu.js").read_text(encoding="utf-8"),
)


def phone_menu() -> None:
    """Have the browser do so; call once, from the entry script."""
    with st.container(key="phone_menu_place"):
        _mount(key="phone_menu", data={"narrow": NARROW_PX})
