"""What a user can do on the pages, as changes of the session; no widgets are drawn here.

An action never loses what was there: a failure leaves a notice, and everything else as it was.
Functions that need torch-backed services import them late, because the first page must not
wait for torch: by the time they run, the host has loaded the model and torch with it.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import (
    CancelledError,
    ImageError,
    MedGemmaDashError,
    NoExplanationError,
    TargetError,
)
from medgemma_dash.core.explanation import Against, Explanation, Target
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.services.relevance_store import RelevanceStore
from medgemma_dash.ui.session import Notice, Pending, Session, Settings, Study

if TYPE_CHECKING:
    from medgemma_dash.services.model_host import ModelHost

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
    study.shown = (method, settings)
    study.problem = ""
    cached = study.store.explanation(target, method, settings)
    if cached is not None:
        _abandon_explaining(session)
        _show(study, cached, None)
        return
    job = host.explain_job(session.owner, study.store, target, method, settings)
    session.explaining = Pending(job, study.answer.key, target, method, settings)
    job.wait(PATIENCE_SECONDS)
    collect(session)


def explain_every_word(session: Session, host: ModelHost, method: str, settings: Settings) -> None:
    """Fill the answer's whole relevancy tensor in the background."""
    study = session.study
    if study is None or study.store is None or session.filling is not None:
        return
    session.filling = host.explain_all_job(session.owner, study.store, method, settings)


def collect(session: Session) -> bool:
    """Take over what has finished; whether anything has."""
    return any([_collect_answer(session), _collect_explanation(session), _collect_filling(session)])


def chosen_target(answer: Answer, span: tuple[int, int] | None) -> Target:
    """Half-open span as a target, a token if it has one; None is the whole answer."""
    from medgemma_dash.services.targets import target_for

    if span is not None and span[1] - span[0] == 1:
        return target_for(answer, token=span[0])
    return target_for(answer, span=span)


def phrase_spans(answer: Answer, phrase: str) -> tuple[tuple[int, int], ...]:
    """Token ranges of every occurrence; raises TargetError when there is none."""
    from medgemma_dash.services.targets import locate_phrase

    return locate_phrase(answer, phrase)


def contrasted(answer: Answer, target: Target, candidate: int | None) -> Target:
    """The one-token target against a runner-up's id, or against nothing."""
    token = answer.tokens[target.token_indices[0]]
    for runner_up in token.runners_up:
        if runner_up.id == candidate:
            against = Against(runner_up.id, runner_up.text)
            return Target("token", (token.index,), token.text, against)
    return Target("token", (token.index,), token.text)


def opening_target(answer: Answer, word: str) -> Target:
    """What is selected when an answer arrives: the finding's word if it says it, else its first
    word with letters, else the whole answer.
    """
    if word:
        try:
            start, stop = phrase_spans(answer, word)[0]
        except TargetError:
            pass
        else:
            return chosen_target(answer, (start, stop))
    for token in answer.tokens:
        if any(letter.isalnum() for letter in token.text):
            return chosen_target(answer, (token.index, token.index + 1))
    return chosen_target(answer, None)


def _collect_answer(session: Session) -> bool:
    job = session.asking
    if job is None or not job.finished:
        return False
    study, session.asking, session.asked_study = session.asked_study, None, None
    if job.error is not None:
        session.notice = _notice(job.error)
    elif job.result is not None and study is not None and study is session.study:
        _abandon_explaining(session)
        if session.filling is not None:
            session.filling.cancel()
            session.filling = None
        study.answer = job.result
        study.store = RelevanceStore(job.result)
        study.target = study.explanation = study.cell = None
        study.problem = ""
        study.revision += 1
    return True


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
        _show(study, pending.job.result, pending.job.seconds)
    elif isinstance(error, NoExplanationError):
        study.explanation = None
        study.problem = str(error)
    elif error is not None:
        # The earlier map stays, and with it the earlier selection.
        session.notice = _notice(error)
        if study.explanation is not None:
            study.target = study.explanation.target
        else:
            study.problem = str(error)
    return True


def _collect_filling(session: Session) -> bool:
    job = session.filling
    if job is None or not job.finished:
        return False
    session.filling = None
    if job.error is not None and not isinstance(job.error, NoExplanationError):
        session.notice = _notice(job.error)
    return True


def _show(study: Study, explanation: Explanation, seconds: float | None) -> None:
    study.explanation = explanation
    study.seconds = seconds
    study.target = explanation.target
    study.problem = ""


def _abandon_explaining(session: Session) -> None:
    if session.explaining is not None:
        session.explaining.job.cancel()
        session.explaining = None


def _notice(error: MedGemmaDashError) -> Notice:
    return Notice("note" if isinstance(error, CancelledError) else "error", str(error))
