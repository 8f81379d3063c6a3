"""What a user can do on the pages, as changes of the session; no widgets are drawn here.

An action never loses what was there: a failure leaves a notice, and everything else as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.samples import Sample
from medgemma_dash.ui.state.session import Session

if TYPE_CHECKING:
    pass

from os import PathLike
from typing import TYPE_CHECKING

from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.target import Target
from medgemma_dash.ui.state.collecting import abandon_explaining, collect, show
from medgemma_dash.ui.state.session import Filling, Notice, Pending, Settings, Study
from medgemma_dash.ui.state.word_targets import chosen_target

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

# A click on the demo model takes less; only longer work gets a progress line.
PATIENCE_SECONDS = 0.6
LONGEST_PROMPT_CHARACTERS = 4000


def open_radiograph(
    session: Session,
    source: bytes | str | PathLike[str],
    title: str,
    *,
    sample: str | None = None,
    opening_question: str = "",
    opening_word: str = "",
) -> bool:
    """Open a file; False, with a notice, when it cannot be read and all stays as it was."""
    try:
        radiograph = load_radiograph(source)
    except ImageError as error:
        kept = " The radiograph before it is still open." if session.study else ""
        session.notice = Notice("error", f"This file was not opened. {error}{kept}")
        return False
    stop_everything(session)
    session.notice = None
    session.study = Study(
        radiograph,
        title,
        sample=sample,
        opening_question=opening_question,
        opening_word=opening_word,
        number=session.opened + 1,
    )
    session.opened += 1
    return True


def stop_everything(session: Session) -> None:
    """Cancel what the session waits for."""
    for job in session.jobs():
        job.cancel()
    session.asking = session.asked_study = session.explaining = session.filling = None
    session.comparison = session.looking = session.testing = session.timing = None


def ask(session: Session, host: ModelHost, prompt: str) -> None:
    """Ask about the open radiograph; the earlier answer stays until the new one is there."""
    study = session.study
    if study is None:
        session.notice = Notice(
            "note", "Open a radiograph first: choose a sample or upload a file."
        )
    elif not prompt.strip():
        session.notice = Notice(
            "caution", "The question is empty. Type one, or choose a suggestion below the box."
        )
    elif host.state == "failed":
        session.notice = Notice("error", f"There is no model to ask. {host.message}")
    else:
        # While the model loads, the question waits in the engine's line.
        if session.asking is not None:
            session.asking.cancel()
        session.asking = host.ask_job(session.owner, study.radiograph, prompt)
        session.asked_study = study
        study.opening_question = ""


def choose(
    session: Session,
    host: ModelHost,
    target: Target,
    method: str,
    settings: Settings,
) -> None:
    """Make this the explained target: from the cache, or by a job that replaces an older one."""
    study = session.study
    if study is None or study.answer is None or study.store is None:
        return
    study.target = target
    study.wanted = (method, settings)
    study.problem = ""
    cached = study.store.explanation(target, method, settings)
    if cached is not None:
        abandon_explaining(session)
        show(study, cached, (method, settings), None)
        return
    job = host.explain_job(session.owner, study.store, target, method, settings)
    session.explaining = Pending(job, study.answer.key, target, method, settings)
    job.wait(PATIENCE_SECONDS)
    collect(session)


def choose_words(
    session: Session,
    host: ModelHost,
    span: tuple[int, int] | None,
    method: str,
    settings: Settings,
    *,
    phrase: bool = False,
) -> None:
    """Explain these tokens of the answer, None for all of it; says so where that cannot be.

    phrase: they were found as one.
    """
    target = _target_of(session, span)
    if target is None:
        return
    if phrase:
        target = Target("phrase", target.token_indices, target.text.strip())
    choose(session, host, target, method, settings)


def select_words(session: Session, span: tuple[int, int] | None) -> None:
    """Choose these tokens on a page that looks at them in its own way.

    The Explain page explains them when it is shown: its method can neither hold up another page
    nor take the choice back.
    """
    target = _target_of(session, span)
    if target is None or session.study is None:
        return
    abandon_explaining(session)
    session.study.target, session.study.wanted = target, None


def _target_of(session: Session, span: tuple[int, int] | None) -> Target | None:
    """These tokens of the open answer; None, with a notice, where that cannot be."""
    session.notice = None
    if session.study is None or session.study.answer is None:
        return None
    try:
        return chosen_target(session.study.answer, span)
    except TargetError as error:
        session.notice = Notice("caution", f"{error} Ask another way.")
        return None


def explain_every_word(session: Session, host: ModelHost, method: str, settings: Settings) -> None:
    """Fill the answer's whole relevancy tensor in the background.

    What is under way for another method ends; the words it has done are kept.
    """
    study, filling = session.study, session.filling
    if study is None or study.store is None:
        return
    if filling is not None:
        if (filling.method, filling.settings) == (method, settings):
            return
        filling.job.cancel()
    job = host.explain_all_job(session.owner, study.store, method, settings)
    session.filling = Filling(job, method, settings)


def open_sample(session: Session, sample: Sample) -> bool:
    """Open a sample; its question is asked as soon as the Explain page is shown."""
    session.question = st.session_state[keys.QUESTION] = sample.question
    return open_radiograph(
        session,
        sample.path,
        sample.title,
        sample=sample.name,
        opening_question=sample.question,
        opening_word=sample.word,
    )
