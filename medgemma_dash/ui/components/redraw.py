"""Drawing anew only those parts of a page that an action changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NoReturn

import streamlit as st
from streamlit.errors import StreamlitAPIException

Part = Literal["subject", "map", "display", "answer", "evidence", "downloads"]

# Each is the key of a fragment of the Explain page; these show the selected target.
# They are drawn in this order: what the reader looks at first.
PARTS: tuple[Part, ...] = ("map", "answer", "evidence", "subject", "downloads")


def redraw(*parts: Part) -> NoReturn:
    """Draw these parts of the Explain page anew, or the whole page when one is not on it.

    The last thing that a widget's callback does.
    """
    draw_fragments(parts)


def draw_fragments(keys: Sequence[str]) -> NoReturn:
    """Draw the fragments with these keys anew, or the whole page when one is not on it.

    What nobody clicked for is drawn by its own part: a run of the whole page has the browser write
    the page's address, over that of the page to which the reader went back in that moment.
    """
    try:
        st.rerun(list(keys))
    except StreamlitAPIException:
        st.rerun()
