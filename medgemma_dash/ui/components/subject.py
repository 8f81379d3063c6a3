"""What stands at the top of every page: what it is about, and the ways to another."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.services.explaining.tasks import ASK, EXPLAIN
from medgemma_dash.ui.components.address_bar import address_bar
from medgemma_dash.ui.components.history_list import history_list
from medgemma_dash.ui.components.picker import opener_popover
from medgemma_dash.ui.components.subject_line import Part, subject_line
from medgemma_dash.ui.components.wording import contrast_words
from medgemma_dash.ui.state.address import address_of, search_of
from medgemma_dash.ui.state.methods import method_words, shown_method
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.session import Session
    from medgemma_dash.ui.state.study import Study

THUMBNAIL_PX = 96


def subject(host: ModelHost, method: str = "") -> None:
    """Draw the first line of a page, once its session has taken the steps that need no click.

    method: on pages that show other maps than that of the Explain page, what made them.
    """
    study = current_session().study
    if study is None:
        keep_address()
        return
    with st.container(horizontal=True, key="subject", vertical_alignment="center", gap="small"):
        _line(host, method)
        history_list()
        opener_popover()


@st.fragment(key="subject")
def _line(host: ModelHost, method: str) -> None:
    session = current_session()
    keep_address()
    if session.study is not None:
        subject_line(
            parts_of(session, session.study, host, method),
            _picture(session.study),
            f"Radiograph: {session.study.title}",
        )


def keep_address() -> None:
    """Have the address bar say what is open."""
    session = current_session()
    session.turn += 1
    session.address = address_of(session)
    address_bar(search_of(session.address), turn=session.turn, reached=session.reached)


def parts_of(session: Session, study: Study, host: ModelHost, method: str) -> list[Part]:
    """What the page is about; while an answer is awaited, what it was asked."""
    parts = [Part("film", study.name)]
    answered = study.answered
    if ASK in session.jobs:
        parts.append(Part("question", session.jobs.about(ASK)))
    elif answered is not None:
        parts.append(Part("question", answered.answer.prompt))
        if answered.target is not None:
            parts.append(Part("word", contrast_words(answered.answer, answered.target)))
    if host.state == "ready":
        # As the word and the address: what was chosen, also while it is awaited.
        awaited = answered.wanted if answered is not None and EXPLAIN in session.jobs else None
        spec, options = shown_method(study)
        chosen = method_words(*(awaited or (spec.name, options)))
        parts.append(Part("method", method or chosen))
        model = host.model
        parts.append(Part("model", "demo model" if model.is_demo else model.name))
    return parts


def _picture(study: Study) -> str:
    """Encoded once for each film."""
    if not study.thumbnail:
        jpeg = jpeg_bytes(study.radiograph.pixels, quality=80, longest_side=THUMBNAIL_PX)
        study.thumbnail = f"data:image/jpeg;base64,{b64encode(jpeg).decode()}"
    return study.thumbnail
