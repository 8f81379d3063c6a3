"""Taking over what the session's jobs have found; no widgets are drawn here.

A job that failed leaves a notice, and everything else as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.core.errors import CancelledError, MedGemmaDashError, NoExplanationError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.ui.state.session import Notice, Session, Settings, Study

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer

STORES_KEPT = 4


def collect(session: Session, *, explanation: bool = True) -> bool:
    """Take over what has finished; whether anything has.

    explanation: False leaves the Explain page's map, and its notice if it failed, until that
    page is shown.
    """
    found = [_collect_answer(session), _collect_filling(session)]
    if explanation:
        found.append(_collect_explanation(session))
    return any(found)


def _collect_answer(session: Session) -> bool:
    job = session.asking
    if job is None or not job.finished:
        return False
    study, session.asking, session.asked_study = session.asked_study, None, None
    if job.error is not None:
        session.notice = _notice(job.error)
    elif job.result is not None and study is not None and study is session.study:
        abandon_explaining(session)
        if session.filling is not None:
            session.filling.job.cancel()
            session.filling = None
        study.answer = job.result
        study.store = _store_of(study, job.result)
        study.target = study.explanation = study.shown = study.wanted = study.cell = None
        study.problem = ""
        study.revision += 1
    return True


def _store_of(study: Study, answer: Answer) -> RelevanceStore:
    """The answer's store; an answer that was given before still has what was explained of it."""
    store = study.stores.pop(answer.key, None)
    study.stores[answer.key] = store = RelevanceStore(answer) if store is None else store
    while len(study.stores) > STORES_KEPT:
        study.stores.pop(next(iter(study.stores)))
    return store


def _collect_explanation(session: Session) -> bool:
    pending = session.explaining
    if pending is None or not pending.job.finished:
        return False
    session.explaining = None
    study = session.study
    if study is None or study.answer is None or study.answer.key != pending.answer_key:
        return True
    error = pending.job.error
    if pending.job.result is not None:
        shown = (pending.method, pending.settings)
        show(study, pending.job.result, shown, pending.job.seconds)
    elif isinstance(error, NoExplanationError):
        study.explanation = study.shown = None
        study.problem = str(error)
    elif error is not None:
        # The earlier map stays, and with it the earlier selection and method.
        session.notice = _notice(error)
        if study.explanation is not None:
            study.target = study.explanation.target
            study.wanted, study.refused = study.shown, (pending.method, pending.settings)
        else:
            study.problem = str(error)
    return True


def _collect_filling(session: Session) -> bool:
    if session.filling is None or not session.filling.job.finished:
        return False
    error, session.filling = session.filling.job.error, None
    if error is not None and not isinstance(error, NoExplanationError):
        session.notice = _notice(error)
    return True


def show(
    study: Study, explanation: Explanation, shown: tuple[str, Settings], seconds: float | None
) -> None:
    """Make this the map on screen. shown: its method; seconds: None when it was known already."""
    study.explanation = explanation
    study.shown = shown
    study.seconds = seconds
    study.target = explanation.target
    study.problem = ""


def abandon_explaining(session: Session) -> None:
    """Wait no longer for an explanation."""
    if session.explaining is not None:
        session.explaining.job.cancel()
        session.explaining = None


def _notice(error: MedGemmaDashError) -> Notice:
    return Notice("note" if isinstance(error, CancelledError) else "error", str(error))
