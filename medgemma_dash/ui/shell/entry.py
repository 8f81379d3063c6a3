"""Every page is entered through Home.py, whichever address was opened first.

Until `st.navigation` has been called once in a process, Streamlit takes the files in pages/
for programs of their own: whoever opens /Explain first would get that file without frame,
theme and set-up. A page therefore asks whether Home.py has run for its session, and if not
calls `st.navigation`, which ends that mode, and starts over.
"""

import streamlit as st

from medgemma_dash.core.resources import ROOT

_ENTERED = "_entered_through_home"


def entered() -> None:
    """Home.py says that it has run."""
    st.session_state[_ENTERED] = True


def enter_through_home() -> None:
    """Start over in Home.py, at the same address, unless it has run."""
    if _ENTERED not in st.session_state:
        pages = sorted((ROOT / "pages").glob("*.py"))
        st.navigation([ROOT / "Home.py", *pages], position="hidden")
        st.rerun()
