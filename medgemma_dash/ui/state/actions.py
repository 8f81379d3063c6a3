"""What a user can do on the pages, as changes of the session; no widgets are drawn here.

An action never loses what was there: a failure leaves a notice, and everything else as it was.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from medgemma_dash.core.errors import CancelledError, ImageError, TargetError
from medgemma_dash.core.target import Target
from medgemma_dash.imaging import load_radiograph, negative
from medgemma_dash.services.evidence.tasks import EVIDENCE, evidence_task
from medgemma_dash.services.explaining.tasks import (
    ASK,
    EXPLAIN,
    EXPLAIN_ALL,
    ask_task,
    explain_all_task,
    explain_task,
)
from medgemma_dash.ui.state.collecting import Pending, collect, leave_answer, show
from medgemma_dash.ui.state.freeing import page_check
from medgemma_dash.ui.state.host import known_answers, upload_questions
from medgemma_dash.ui.state.methods import set_picker
from medgemma_dash.ui.state.samples import Sample
from medgemma_dash.ui.state.session import Notice, Session
from medgemma_dash.ui.state.study import Options, Study
from medgemma_dash.ui.state.uploads import new_marker
from medgemma_dash.ui.state.word_targets import chosen_target

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

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
        radiograph = load_radiograph(source, owner=session.owner, check=page_check())
    except (ImageError, CancelledError) as error:
        kept = " The radiograph before it is still open." if session.study else ""
        session.notice = Notice("error", f"This file was not opened. {error}{kept}")
        return False
    session.open(
        Study(
            radiograph,
            title,
            sample=sample,
            marker="" if sample else new_marker(),
            opening_question=opening_question,
            opening_word=opening_word,
        )
    )
    return True


def open_negative(session: Session) -> None:
    """Open the negative of the open radiograph; what was asked about it is asked again."""
    study = session.study
    if study is None:
        return
    asked = "" if study.answered is None else study.answered.answer.prompt
    session.notice = None
    session.open(
        Study(
            negative(study.radiograph),
            f"{study.title}, inverted",
            marker=new_marker(),
            opening_question=asked,
        )
    )


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
    elif len(prompt) > LONGEST_PROMPT_CHARACTERS:
        session.notice = Notice(
            "caution",
            f"The question has {len(prompt):,} characters; {LONGEST_PROMPT_CHARACTERS:,} are "
            "allowed. Shorten it; it still stands in the box.",
        )
    elif host.state == "failed":
        session.notice = Notice("error", f"There is no model to ask. {host.message}")
    else:
        # While the model loads, the question waits in the engine's line.
        task = ask_task(study.radiograph, prompt, known_answers(), host.loaded)
        session.jobs.run(host, task, prompt)
        study.opening_question = ""
        if study.marker:
            upload_questions().put(study.marker, prompt)


def recall(session: Session, key: str) -> None:
    """Show an earlier answer about the open film as it was left; nothing is computed again."""
    study = session.study
    answered = None if study is None else study.history.find(key)
    if study is None or answered is None:
        return
    leave_answer(session)
    session.jobs.drop(ASK)
    session.notice = None
    session.question = answered.answer.prompt
    if answered is not study.answered:
        study.answered = answered
        study.revision += 1
    if answered.shown is not None:
        set_picker(*(answered.wanted or answered.shown.made_by))


def choose(
    session: Session,
    host: ModelHost,
    target: Target,
    method: str,
    options: Options,
) -> None:
    """Make this the explained target: from the store, or by a job that replaces an older one."""
    answered = session.answered
    if answered is None:
        return
    answered.target, answered.begun = target, True
    answered.wanted = made_by = method, options
    answered.problem = ""
    task = explain_task(answered.store, target, method, options)
    if task.known is not None:
        session.jobs.drop(EXPLAIN)
        show(answered, task.known.result, made_by, None)
        return
    session.jobs.run(host, task, Pending(answered, made_by), patient=True)
    collect(session)


def choose_words(
    session: Session,
    host: ModelHost,
    span: tuple[int, int] | None,
    method: str,
    options: Options,
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
    choose(session, host, target, method, options)


def select_words(session: Session, span: tuple[int, int] | None) -> None:
    """Choose these tokens on a page that looks at them in its own way.

    The Explain page explains them when it is shown: its method can neither hold up another page
    nor take the choice back.
    """
    target = _target_of(session, span)
    answered = session.answered
    if target is None or answered is None:
        return
    session.jobs.drop(EXPLAIN)
    answered.target, answered.begun, answered.wanted = target, True, None


def _target_of(session: Session, span: tuple[int, int] | None) -> Target | None:
    """These tokens of the open answer; None, with a notice, where that cannot be."""
    session.notice = None
    if session.answered is None:
        return None
    try:
        return chosen_target(session.answered.answer, span)
    except TargetError as error:
        session.notice = Notice("caution", f"{error} Ask another way.")
        return None


def explain_every_word(session: Session, host: ModelHost, method: str, options: Options) -> None:
    """Fill the answer's whole relevancy tensor in the background.

    What is under way for another method ends; the words it has done are kept.
    """
    answered, choice = session.answered, (method, options)
    if answered is not None and session.jobs.about(EXPLAIN_ALL) != choice:
        session.jobs.run(host, explain_all_task(answered.store, method, options), choice)


def weigh(session: Session, host: ModelHost, *, again: bool = False) -> None:
    """Find out in the background what each word owes to the image, once for an answer.

    again: also where it was tried and stopped or failed.
    """
    answered = session.answered
    if answered is None or answered.evidence is not None or EVIDENCE in session.jobs:
        return
    if again:
        answered.unweighed = ""
    if not answered.unweighed:
        session.jobs.run(host, evidence_task(answered.answer), answered)


def open_sample(session: Session, sample: Sample) -> bool:
    """Open a sample; its question is asked as soon as the Explain page is shown."""
    session.question = sample.question
    return open_radiograph(
        session,
        sample.source,
        sample.title,
        sample=sample.name,
        opening_question=sample.question,
        opening_word=sample.word,
    )
