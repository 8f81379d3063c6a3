"""Every page is entered through Home.py, whichever address was opened first.

Until `st.navigation` has been called once in a process, Streamlit takes the files in pages/
for programs of their own: whoever opens /Explain first would get that file without frame,
theme and set-up. A page therefore asks whether Home.py has run for its session, and if not
calls `st.navigation`, which ends that mode, and starts over.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import streamlit as st
from streamlit.delta_generator_singletons import context_dg_stack, get_default_dg_stack_value
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medgemma_dash.core.resources import ROOT

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

_ENTERED = "_entered_through_home"
# Titles of the pages that show records, by the records' kind.
_TITLES = {
    "words": "Target Words",
    "prompts": "Prompt Sensitivity",
    "faithfulness": "Faithfulness",
    "questions": "Question Sets",
}


def begin_at_the_top() -> None:
    """Draw what follows into the page itself; called first of all.

    A fragment's run leaves its own place as the one that is drawn into. A run of the whole page
    that follows in the same thread would be drawn in there: all of it in that fragment's
    container, and the next part that draws where it belongs breaks the page for good.
    """
    context_dg_stack.set(get_default_dg_stack_value())


def entered() -> None:
    """Home.py says that it has run."""
    st.session_state[_ENTERED] = True


def unknown_page(pages: Collection[StreamlitPage]) -> str:
    """What the address names in place of a page, where it names none; Home stands there then."""
    context = get_script_run_ctx()
    info = None if context is None else context.context_info
    # As the browser has it; `st.context.url` has the page that is drawn put in its place.
    path = unquote(urlsplit((info.url if info else "") or "").path).strip("/").rpartition("/")[2]
    return "" if path in ("", "home", *(page.url_path for page in pages)) else path


def pages_of_records(pages: Collection[StreamlitPage]) -> dict[str, StreamlitPage]:
    """The pages that show records, by the records' kind."""
    by_title = {page.title: page for page in pages}
    return {kind: by_title[title] for kind, title in _TITLES.items() if title in by_title}


def enter_through_home() -> None:
    """Start over in Home.py, at the same address, unless it has run."""
    if _ENTERED not in st.session_state:
        pages = sorted((ROOT / "pages").glob("*.py"))
        st.navigation([ROOT / "Home.py", *pages], position="hidden")
        st.rerun()
