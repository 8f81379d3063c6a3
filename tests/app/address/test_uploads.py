"""An upload leaves nothing in an address but that it stood there."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.components import picker
from medgemma_dash.ui.state.actions import open_radiograph
from medgemma_dash.ui.state.honouring import QUESTION_KEPT, UPLOAD_GONE
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import QUESTION
from tests.app.address.addressed import (
    EXPLAIN,
    ROOT,
    OpenAt,
    OpenPage,
    address_of,
    notice_of,
    upload,
)
from tests.app.browser_events import lines_of
from tests.app.opened import ask, session_of, study_of


def test_an_upload_leaves_nothing_in_the_address_but_that_it_stood_there(
    open_explain: OpenPage, settle: Callable[[AppTest], AppTest], open_at: OpenAt
) -> None:
    app = ask(upload(open_explain()), settle, "Has Jane Doe pneumonia?")
    marker = study_of(app).marker
    assert address_of(app) == {"film": marker}
    assert study_of(app).radiograph.sha256[:8] not in marker
    again = open_at(EXPLAIN, film=marker)
    assert session_of(again).study is None
    assert "gone" in notice_of(again)
    assert again.text_input(key=QUESTION).value == "Has Jane Doe pneumonia?"
    assert address_of(again) == {"film": marker}
    # Opened again, it is a film like any other, and the question waits in the box.
    upload(again)
    assert session_of(again).missing == ""
    assert again.text_input(key=QUESTION).value == "Has Jane Doe pneumonia?"
    assert study_of(again).answered is None
    assert study_of(again).marker != marker


def test_an_upload_is_opened_though_the_run_that_read_it_was_overtaken(
    monkeypatch: pytest.MonkeyPatch, open_explain: OpenPage
) -> None:
    def overtaken(*arguments: Any) -> bool:
        monkeypatch.setattr(picker, "open_radiograph", open_radiograph)
        st.rerun()

    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60).run()
    monkeypatch.setattr(picker, "open_radiograph", overtaken)
    film = samples()[0].film.read_bytes()
    app.file_uploader(key="home_upload_0").set_value(("film", film, "image/png")).run()
    assert study_of(app).radiograph.sha256 == sha256(film).hexdigest()


def test_a_question_that_the_browser_alone_knows_is_kept_and_that_is_said(open_at: OpenAt) -> None:
    app = open_at(EXPLAIN, film="upload")
    assert QUESTION_KEPT not in notice_of(app)
    app.session_state[QUESTION] = "Has **Jane Doe** an effusion?"
    app.run()
    assert session_of(app).question == "Has **Jane Doe** an effusion?"
    # In the same drawing, whatever the model does meanwhile.
    assert lines_of(app, "notice_line") == [f"{UPLOAD_GONE}{QUESTION_KEPT}"]


def test_only_the_newest_questions_about_uploads_are_kept() -> None:
    from medgemma_dash.ui.state.uploads import KEPT, UploadQuestions, new_marker

    questions = UploadQuestions()
    markers = [new_marker() for _ in range(KEPT + 1)]
    for place, marker in enumerate(markers):
        questions.put(marker, f"Is it {place}?")
    assert questions.get(markers[0]) == ""
    assert questions.get(markers[-1]) == f"Is it {KEPT}?"
    assert len(set(markers)) == KEPT + 1
