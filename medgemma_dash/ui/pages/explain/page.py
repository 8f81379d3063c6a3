"""The Explain page: picture and answer side by side, and what the selected word rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.ui.components.demo_notice import demo_notice
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.nothing_open import nothing_open
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.previous_answer import previous_answer_line
from medgemma_dash.ui.components.subject import subject
from medgemma_dash.ui.pages.explain.answer_panel import answer_panel
from medgemma_dash.ui.pages.explain.ask_panel import ask_panel
from medgemma_dash.ui.pages.explain.display_controls import display_controls
from medgemma_dash.ui.pages.explain.downloads import downloads
from medgemma_dash.ui.pages.explain.evidence_panel import evidence_panel
from medgemma_dash.ui.pages.explain.map_panel import map_panel
from medgemma_dash.ui.pages.explain.state import FilmState
from medgemma_dash.ui.state.opening import go_on, sample_if_empty
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost


def explain_page(host: ModelHost) -> None:
    """Draw the page; it opens with a sample whose question is asked at once."""
    session = current_session()
    sample_if_empty(session)
    go_on(session, host)
    film = page_state(FilmState)
    film.chosen_rows = film.lit_zones
    subject(host)
    with st.container(key="explain_columns"):
        left, right = st.columns([42, 58], gap="medium")
    with left:
        if session.study is None:
            nothing_open()
        else:
            part_heading("Radiograph and map", "map")
            map_panel()
            display_controls(host)
    with right:
        # Each part has a place of its own: what one of them draws never moves the others, whose
        # elements would then stand on the page twice until the script has run to its end.
        notice = st.container()
        with st.container():
            part_heading("Question", "question")
            ask_panel(host)
        # The box alone knows whether the browser kept the question of a session that was lost.
        with notice:
            notice_line()
        with st.container():
            demo_notice(host)
        with st.container():
            part_heading("Answer", "answer")
            answer_panel(host)
        with st.container():
            previous_answer_line()
        with st.container(key="evidence"):
            part_heading("What the word rests on", "evidence")
            evidence_panel(host)
    with st.container(horizontal=True, key="bottom_row", vertical_alignment="center", gap="small"):
        downloads(host)
        st.caption(RESEARCH_NOTICE, width="stretch")
