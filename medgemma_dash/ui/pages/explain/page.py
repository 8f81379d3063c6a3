"""The Explain page: picture and answer side by side, and what the selected word rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.picker import opener_popover
from medgemma_dash.ui.pages.explain.answer_panel import answer_panel
from medgemma_dash.ui.pages.explain.ask_panel import ask_panel
from medgemma_dash.ui.pages.explain.downloads import downloads
from medgemma_dash.ui.pages.explain.evidence_panel import evidence_panel
from medgemma_dash.ui.pages.explain.map_panel import map_panel
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.actions import open_sample
from medgemma_dash.ui.state.methods import DEFAULT_METHOD
from medgemma_dash.ui.state.opening import go_on, sample_if_empty
from medgemma_dash.ui.state.samples import sample_named
from medgemma_dash.ui.state.session import Session, current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost


def explain_page(host: ModelHost) -> None:
    """Draw the page; it opens with a sample whose question is asked at once."""
    session = current_session()
    _read_url(session)
    sample_if_empty(session)
    go_on(session, host)
    _write_url(session)
    with st.container(key="explain_columns"):
        left, right = st.columns([42, 58], gap="medium")
    with left:
        part_heading("Radiograph and map", "map")
        map_panel()
    with right:
        # Each part has a place of its own: what one of them draws never moves the others, whose
        # elements would then stand on the page twice until the script has run to its end.
        with st.container():
            notice_line()
        with st.container():
            part_heading("Question", "question")
            ask_panel(host)
        with st.container():
            part_heading("Answer", "answer")
            answer_panel(host)
        with st.container():
            part_heading("What the word rests on", "evidence")
            evidence_panel(host)
    with st.container(horizontal=True, key="bottom_row", vertical_alignment="center", gap="small"):
        downloads(host)
        opener_popover()
        st.caption(RESEARCH_NOTICE, width="stretch")


def _read_url(session: Session) -> None:
    """Once for each visit: ?sample= and ?method=, and nothing else, ever."""
    if session.url_read:
        return
    session.url_read = True
    sample = sample_named(st.query_params.get("sample", ""))
    if sample is not None and (session.study is None or session.study.sample != sample.name):
        open_sample(session, sample)
    method = st.query_params.get("method", "")
    if method and keys.METHOD not in st.session_state:
        st.session_state[keys.METHOD] = method


def _write_url(session: Session) -> None:
    wanted = {}
    if session.study is not None and session.study.sample is not None:
        wanted["sample"] = session.study.sample
    method = keys.widget_value(keys.METHOD, DEFAULT_METHOD)
    if method != DEFAULT_METHOD:
        wanted["method"] = str(method)
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
