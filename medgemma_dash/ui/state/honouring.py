"""What a session makes of a URL: it opens, asks and chooses what is named, or says why not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.services.explaining.tasks import ASK, EXPLAIN
from medgemma_dash.ui.state.actions import LONGEST_PROMPT_CHARACTERS, open_sample, recall
from medgemma_dash.ui.state.address import shown
from medgemma_dash.ui.state.collecting import opening
from medgemma_dash.ui.state.host import upload_questions
from medgemma_dash.ui.state.methods import COMPARED, DEFAULT_METHOD, FIRST_COMPARED, specs
from medgemma_dash.ui.state.samples import sample_named, samples
from medgemma_dash.ui.state.session import METHOD, Notice, Session, widget_value
from medgemma_dash.ui.state.uploads import MARKER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medgemma_dash.ui.state.study import Span, Study

_WORD = re.compile("([0-9]{1,6})(?:-([0-9]{1,6}))?")
_TOKEN_ID = re.compile("[0-9]{1,7}")

UPLOAD_GONE = (
    "The film that stood here was uploaded and is gone: an upload is kept in memory alone, for as "
    "long as its session. Open it again."
)
QUESTION_KEPT = " Your question is kept."


def honour(session: Session, address: Mapping[str, str], *, again: bool = False) -> None:
    """Open, ask and choose what a URL names; what it names in vain is said.

    again: the reader went back or forward to it, so that what it leaves out is the default.
    """
    question = _question(session, address.get("question", ""))
    span = _span(session, address.get("word", ""))
    against = _against(session, address.get("against", ""))
    film, name = address.get("film", ""), address.get("sample", "")
    if film:
        _upload(session, film, question)
    elif name:
        _sample(session, name, question, span, against)
    elif (question or span or against is not None) and session.study is None:
        _sample(session, samples()[0].name, question, span, against)
    method = address.get("method", "")
    if method and (again or METHOD not in st.session_state):
        st.session_state[METHOD] = method
    elif again and (film or name):
        st.session_state[METHOD] = DEFAULT_METHOD
    compared = [name for name in address.get("methods", "").split(",") if name]
    if compared and (again or COMPARED not in st.session_state):
        st.session_state[COMPARED] = compared
    elif again and (film or name):
        st.session_state[COMPARED] = list(FIRST_COMPARED)


def _upload(session: Session, marker: str, question: str) -> None:
    if not MARKER.fullmatch(marker):
        session.tell(f"The address names a film {shown(marker)}; there is none of that name.")
        _nothing_open(session, marker, question)
    elif session.study is not None and session.study.marker == marker:
        return
    elif session.aside is not None and session.aside.marker == marker:
        session.open(session.aside)
        answered = session.answered
        session.question = answered.answer.prompt if answered is not None else ""
    else:
        question = question or upload_questions().get(marker)
        _nothing_open(session, marker, question)
        kept = QUESTION_KEPT if question else ""
        session.notice = Notice("caution", f"{UPLOAD_GONE}{kept}")


def keep_question(session: Session, typed: str) -> None:
    """Take over a question that the browser alone knows, for the session that it was asked in was
    lost.
    """
    if session.question or not typed:
        return
    session.question = typed
    if session.notice == Notice("caution", UPLOAD_GONE):
        session.notice = Notice("caution", f"{UPLOAD_GONE}{QUESTION_KEPT}")


def _sample(
    session: Session, name: str, question: str, span: Span | None, against: int | None
) -> None:
    sample, study = sample_named(name), session.study
    if sample is None:
        session.tell(
            f"The address names a sample {shown(name)} that does not exist. The first page "
            "shows those that do.",
        )
        if study is None:
            _nothing_open(session, name, question)
        return
    if study is None or study.sample != name:
        if not open_sample(session, sample):
            return
        study = session.study
    if study is not None:
        study.opening_span, study.opening_against = span, against
        _look_at(session, study, question or sample.question)


def _look_at(session: Session, study: Study, question: str) -> None:
    """Go to this question about the open film, and to the words of its answer that are to open."""
    under_way = ASK in session.jobs and session.question == question
    answered = study.answered
    if not under_way and (answered is None or answered.answer.prompt != question):
        earlier = study.history.asked(question)
        if earlier is not None:
            recall(session, earlier.answer.key)
        else:
            session.jobs.drop(ASK)
            study.answered, study.opening_question = None, question
            session.question = question
    answered = study.answered
    if answered is None or under_way:
        return
    target = opening(session, study, answered.answer)
    now = answered.target
    if target is not None and (
        now is None or (now.token_indices, now.against) != (target.token_indices, target.against)
    ):
        session.jobs.drop(EXPLAIN)
        answered.target, answered.begun, answered.wanted = target, True, None


def _nothing_open(session: Session, missing: str, question: str) -> None:
    """No film is shown in the place of one that is not there."""
    session.close(missing)
    session.question = question


def check_method(session: Session) -> None:
    """Say so when the URL names a method that there is not; only once the model is ready, since
    it needs torch.
    """
    name = str(widget_value(METHOD, DEFAULT_METHOD))
    titles = {spec.name: spec.title for spec in specs()}
    if name not in titles:
        st.session_state[METHOD] = DEFAULT_METHOD
        session.tell(
            f"The address names a method {shown(name)} that does not exist; "
            f"{titles[DEFAULT_METHOD]} takes its place where one word is explained. The Methods "
            "page describes all that there are.",
        )
    compared = list(widget_value(COMPARED, None) or ())
    unknown = [one for one in compared if one not in titles]
    if unknown:
        st.session_state[COMPARED] = [one for one in compared if one in titles] or list(
            FIRST_COMPARED
        )
        session.tell(
            f"The address names methods to compare that do not exist: {shown(', '.join(unknown))}."
            " They were left out. The Methods page describes all that there are."
        )


def _question(session: Session, question: str) -> str:
    if len(question) > LONGEST_PROMPT_CHARACTERS:
        session.tell(
            f"The question in the address has {len(question):,} characters; "
            f"{LONGEST_PROMPT_CHARACTERS:,} are allowed. It was left out.",
        )
        return ""
    return question.strip()


def _span(session: Session, word: str) -> Span | None:
    if word in ("", "all"):
        return "all" if word else None
    found = _WORD.fullmatch(word)
    start = int(found[1]) if found else 0
    stop = int(found[2] or start) + 1 if found else 0
    if start >= stop:
        session.tell(
            f"The address names word {shown(word)}. Allowed are a number from 0, a range such as "
            "4-6, and all.",
        )
        return None
    return start, stop


def _against(session: Session, token: str) -> int | None:
    if _TOKEN_ID.fullmatch(token):
        return int(token)
    if token:
        session.tell(
            f"The address holds the word against {shown(token)}. Allowed is the id of a token, a "
            "number from 0.",
        )
    return None
