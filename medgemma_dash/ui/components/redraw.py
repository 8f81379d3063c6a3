"""Drawing anew only those parts of the Explain page that an action changes."""

from __future__ import annotations

from typing import Literal, NoReturn

import streamlit as st
from streamlit.errors import StreamlitAPIException

Part = Literal["subject", "map", "answer", "evidence", "downloads"]

# Each is the key of a fragment of the Explain page; together they show the selected target.
# They are drawn in this order: what the reader looks at first.
PARTS: tuple[Part, ...] = ("map", "answer", "evidence", "subject", "downloads")


def redraw(*parts: Part) -> NoReturn:
    """Draw these parts anew, or the whole page when one of them does not stand on it.

    The last thing that a widget's callback does.
    """
    try:
        st.rerun(list(parts))
    except StreamlitAPIException:
        st.rerun()
