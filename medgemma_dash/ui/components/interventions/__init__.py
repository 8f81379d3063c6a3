"""Patches of the film removed or kept, on demand: a button, and behind it a dialog.

The pages that have the button import and draw nothing more until it is clicked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.components.interventions.state import InterventionState
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

BUTTON = "remove_patches"


def intervention_button(host: ModelHost, page: str) -> None:
    """The button, where there is a map; the dialog while it is open. page: which one this is."""
    answered = current_session().answered
    if answered is None or answered.shown is None:
        return
    st.button(
        "Remove or keep patches",
        key=BUTTON,
        type="tertiary",
        help="Take patches of the radiograph away, or everything else, and see what becomes of "
        "every word and of the answer.",
        on_click=_open,
        args=(page,),
    )
    if page_state(InterventionState).opened == page:
        from medgemma_dash.ui.components.interventions.dialog import intervention_dialog

        intervention_dialog(host)


def _open(page: str) -> None:
    page_state(InterventionState).opened = page
