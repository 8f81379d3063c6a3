"""A row that was clicked, opened in Explain: its image as a study, with its question."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.samples import shipped_film
from medgemma_dash.ui.components.record_frame import DIGEST_CHARACTERS
from medgemma_dash.ui.pages.questions.state import QuestionsState
from medgemma_dash.ui.state.actions import open_radiograph
from medgemma_dash.ui.state.samples import EXAMPLE, sample_named
from medgemma_dash.ui.state.session import Notice, Session, current_session, page_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medgemma_dash.core.record import Record
    from medgemma_dash.ui.state.samples import Sample

EXPLAIN_PAGE = "pages/1_Explain.py"


def open_clicked_row(elsewhere: Record | None, address: Mapping[str, str]) -> None:
    """Open the row that was clicked, and go to Explain; what cannot be opened is said.

    elsewhere: the record that was opened from a file, if the page is about one.
    """
    state = page_state(QuestionsState)
    row, state.to_open = state.to_open, None
    if row is None:
        return
    state.problem = ""
    opened = _of_set(state, row) if elsewhere is None else _of_record(elsewhere, row)
    if opened:
        # With the address at hand, for another one would be an entry in the browser's history.
        st.switch_page(EXPLAIN_PAGE, query_params=dict(address))
    session = current_session()
    if session.notice is not None:
        # It is told beside the rows, and not on a page that shows another film.
        state.problem, session.notice = session.notice.text, None
    if elsewhere is not None:
        state.looked_at = row


def _of_set(state: QuestionsState, row: int) -> bool:
    given = state.given
    asked = next((one for one in given.rows if one.row == row), None) if given else None
    if given is None or asked is None:
        return False
    session = current_session()
    if not asked.image:
        session.notice = Notice("error", f"Row {row}: {asked.problem}")
        return False
    try:
        data = given.source.read(asked.image)
    except ImageError as error:
        session.notice = Notice("error", f"Row {row}: {error}")
        return False
    sample = _sample(sha256(data).hexdigest(), asked.image if given.kind == "example" else "")
    return _open(session, data, sample, f"{given.title}, row {row}", asked.asked)


def _of_record(record: Record, row: int) -> bool:
    """Its film is at hand where it ships with the program, or is the open one."""
    rows = record.tables["rows"]
    found = rows[rows["row"] == row]
    if not len(found):
        return False
    line, session = found.iloc[0], current_session()
    digest, asked = str(line["image_sha256"]), str(line["asked"])
    named = str(line.get("image_path", "")).removesuffix(".png")
    sample = _sample(digest, named if named.startswith(EXAMPLE) else "")
    if sample is not None:
        source = sample.source
        data = source if isinstance(source, bytes) else source.read_bytes()
        if sha256(data).hexdigest() == digest:
            return _open(session, data, sample, sample.title, asked)
    study = session.study
    if study is not None and study.radiograph.sha256 == digest:
        study.answered, study.opening_question, session.question = None, asked, asked
        return True
    session.notice = Notice(
        "note",
        f"The film of row {row} is not at hand (sha256 {digest[:DIGEST_CHARACTERS]}…). Open it on "
        "the first page; this row then opens in Explain.",
    )
    return False


def _sample(digest: str, named: str) -> Sample | None:
    """The shipped film that this is. named: how a film of the example set is called."""
    film = shipped_film(digest)
    return sample_named(film.path.stem if film is not None else named)


def _open(session: Session, data: bytes, sample: Sample | None, title: str, asked: str) -> bool:
    session.notice = None
    if not open_radiograph(
        session,
        data,
        title if sample is None else sample.title,
        sample=None if sample is None else sample.name,
        opening_question=asked,
    ):
        return False
    session.question = asked
    return True
