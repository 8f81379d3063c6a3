"""Taking over what the session's jobs have found; no widgets are drawn here.

A job that failed leaves a notice, and everything else as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from medgemma_dash.core.errors import (
    CancelledError,
    MedGemmaDashError,
    NoExplanationError,
    TargetError,
)
from medgemma_dash.core.token_words import runners_up_names
from medgemma_dash.services.evidence.tasks import EVIDENCE
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import ASK, EXPLAIN, EXPLAIN_ALL
from medgemma_dash.ui.state.host import method_seconds
from medgemma_dash.ui.state.session import Notice, Session
from medgemma_dash.ui.state.study import Answered, Choice, Shown, Span, Study
from medgemma_dash.ui.state.word_targets import chosen_target, contrasted, opening_target

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.explanation import Explanation
    from medgemma_dash.core.target import Target

COLLECTED = ASK, EXPLAIN, EXPLAIN_ALL, EVIDENCE  # keys of the jobs that are taken over here


@dataclass(frozen=True, eq=False)
class Pending:
    """What an explanation that is being computed is for."""

    answered: Answered
    made_by: Choice


def collect(session: Session, *, explanation: bool = True) -> bool:
    """Take over what has finished; whether anything has.

    explanation: False leaves the Explain page's map, and its notice if it failed, until that
    page is shown.
    """
    found = [_collect_answer(session), _collect_filling(session), collect_evidence(session)]
    if explanation:
        found.append(_collect_explanation(session))
    return any(found)


def _collect_answer(session: Session) -> bool:
    taken = session.jobs.take(ASK)
    if taken is None:
        return False
    study, job = session.study, taken.job
    if job.error is not None:
        session.notice = _notice(job.error)
    elif study is not None:
        answer = cast("Answer", job.result)
        leave_answer(session)
        # An answer that was given before still has what was explained of it.
        before = study.history.find(answer.key)
        store = RelevanceStore(answer) if before is None else before.store
        study.answered = Answered(answer, store, opening(session, study, answer))
        study.history.add(study.answered)
        study.revision += 1
    return True


def leave_answer(session: Session) -> None:
    """Wait for nothing about the answer on screen; its word is explained when it is shown again."""
    if EXPLAIN in session.jobs and session.answered is not None:
        session.answered.wanted = None
    session.jobs.drop(EXPLAIN)
    session.jobs.drop(EXPLAIN_ALL)
    session.jobs.drop(EVIDENCE)


def opening(session: Session, study: Study, answer: Answer) -> Target | None:
    """What is selected when an answer arrives: the words that the URL names, if it names some."""
    span, study.opening_span = study.opening_span, None
    against, study.opening_against = study.opening_against, None
    if span is not None:
        try:
            target = chosen_target(answer, None if span == "all" else span)
        except TargetError:
            session.tell(
                f"The address names word {span_words(span)}; this answer has 0 to "
                f"{len(answer.tokens) - 1}."
            )
        else:
            return _held_against(session, answer, target, against)
    return _held_against(session, answer, opening_target(answer, study.opening_word), against)


def _held_against(
    session: Session, answer: Answer, target: Target | None, against: int | None
) -> Target | None:
    """The target as the URL has it; one that cannot be held against that is left as it is."""
    if target is None or against is None:
        return target
    if target.kind != "token":
        session.tell(
            f"The address holds {len(target.token_indices)} tokens against token {against}; only "
            "one can be held against another."
        )
        return target
    index = target.token_indices[0]
    found = contrasted(answer, index, against)
    if found.against is None:
        allowed = ", ".join(
            f"{one.id} (“{name}”)"
            for name, one in zip(
                runners_up_names(answer.tokens[index]),
                answer.tokens[index].runners_up,
                strict=True,
            )
        )
        session.tell(
            f"The address holds word {index} against token {against}, which did not come next "
            f"there. Allowed: {allowed or 'none, for nothing else is known there'}."
        )
    return found


def span_words(span: Span) -> str:
    """Tokens of an answer as they stand in a URL: "4", "4-6" with both ends, or "all"."""
    if span == "all":
        return span
    start, stop = span
    return str(start) if stop - start == 1 else f"{start}-{stop - 1}"


def _collect_explanation(session: Session) -> bool:
    taken = session.jobs.take(EXPLAIN)
    if taken is None:
        return False
    pending: Pending = taken.about
    answered, error = pending.answered, taken.job.error
    if taken.job.result is not None:
        show(answered, taken.job.result, pending.made_by, taken.job.seconds)
        method, options = pending.made_by
        if not options:
            method_seconds().note(method, taken.job.result.provenance.seconds)
    elif isinstance(error, NoExplanationError):
        answered.shown, answered.problem = None, str(error)
    elif error is not None:
        # The earlier map stays, and with it the earlier selection and method.
        session.notice = _notice(error)
        if answered.shown is not None:
            answered.target = answered.shown.explanation.target
            answered.wanted, answered.refused = answered.shown.made_by, pending.made_by
        else:
            answered.problem = str(error)
    return True


def _collect_filling(session: Session) -> bool:
    taken = session.jobs.take(EXPLAIN_ALL)
    if taken is None:
        return False
    error = taken.job.error
    if error is not None and not isinstance(error, NoExplanationError):
        session.notice = _notice(error)
    if session.study is not None:
        session.study.history.evict()
    return True


def collect_evidence(session: Session) -> bool:
    """Take over what each word owes to the image, once it was weighed; whether it has been."""
    taken = session.jobs.take(EVIDENCE)
    if taken is None:
        return False
    answered: Answered = taken.about
    if taken.job.error is None:
        answered.evidence = taken.job.result
    else:
        answered.unweighed = str(taken.job.error)
    return True


def show(
    answered: Answered, explanation: Explanation, made_by: Choice, seconds: float | None
) -> None:
    """Make this the map on screen. seconds: None when it was known already."""
    answered.shown = Shown(explanation, made_by, seconds)
    answered.target = explanation.target
    answered.problem = ""


def _notice(error: MedGemmaDashError) -> Notice:
    return Notice("note" if isinstance(error, CancelledError) else "error", str(error))
