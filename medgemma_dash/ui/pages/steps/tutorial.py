"""The tutorial's pictures, on the page that goes through its steps."""

from __future__ import annotations

import streamlit as st

from medgemma_dash.ui.components.picker import sample_grid
from medgemma_dash.ui.state.samples import DRAWN_NOTICE, drawn_pictures
from medgemma_dash.ui.state.session import current_session


def tutorial_pictures_popover() -> None:
    """A quiet button that opens them; another film on screen closes it."""
    popover = st.popover(
        "Tutorial's pictures",
        key=f"tutorial_{current_session().opened}",
        icon=":material/grid_view:",
        on_change="rerun",
        type="tertiary",
    )
    if popover.open:
        with popover:
            st.caption(DRAWN_NOTICE)
            sample_grid(drawn_pictures(), in_a_row=3, key="tutorial")
