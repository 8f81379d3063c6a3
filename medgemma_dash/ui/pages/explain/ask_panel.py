"""The question box, its suggestions, and the notice about the last action."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.actions import ask
from medgemma_dash.ui.state.honouring import keep_question
from medgemma_dash.ui.state.samples import suggestions_for
from medgemma_dash.ui.state.session import current_session, give_widget

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost


def ask_panel(host: ModelHost) -> None:
    """Draw the box; Enter and the button ask, a suggestion asks at once."""
    session = current_session()
    # The session knows what was asked; the browser may still hold what stood here before another
    # radiograph was opened, or on a drawing that was overtaken. Where nothing was asked yet, the
    # browser may know it from a session that was lost.
    if session.question:
        give_widget(keys.QUESTION, session.question)
    with st.form("ask_form", border=False), st.container(horizontal=True, gap="xsmall", wrap=False):
        typed = st.text_input(
            "Question about this radiograph",
            key=keys.QUESTION,
            placeholder="Ask about this radiograph",
            label_visibility="collapsed",
            # Streamlit tells a browser that does not have the box yet what such a box holds, in
            # whichever run it draws first: the one that set the value may have been overtaken.
            persist_state="session",
        )
        keep_question(session, typed or "")
        st.form_submit_button(
            "Ask", key=keys.ASK, type="primary", on_click=_ask_typed, args=(host,)
        )
    suggested = suggestions_for(None if session.study is None else session.study.sample)
    with st.container(horizontal=True, gap="xsmall", key="suggestions"):
        for place, question in enumerate(suggested):
            st.button(
                question, key=f"suggestion_{place}", on_click=_ask_suggested, args=(host, question)
            )


def _ask_typed(host: ModelHost) -> None:
    _ask(host, st.session_state[keys.QUESTION] or "")


def _ask_suggested(host: ModelHost, prompt: str) -> None:
    _ask(host, prompt)


def _ask(host: ModelHost, prompt: str) -> None:
    session = current_session()
    session.question = prompt
    session.notice = None
    ask(session, host, prompt)
