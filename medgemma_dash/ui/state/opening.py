"""The steps that need no click, on every page that shows an answer's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.ui.components.method_picker import chosen_method, chosen_settings, set_picker
from medgemma_dash.ui.state.actions import ask, choose, open_sample
from medgemma_dash.ui.state.collecting import collect
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.word_targets import opening_target

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.session import Session


def sample_if_empty(session: Session) -> None:
    """A page opens with a sample when nothing else is open."""
    if session.study is None:
        open_sample(session, samples()[0])


def go_on(session: Session, host: ModelHost) -> None:
    """Take the next step that needs no click: opening question, opening word, changed method."""
    collect(session)
    _put_picker_back(session)
    _take_next_step(session, host)
    _put_picker_back(session)


def go_to_word(session: Session, host: ModelHost) -> None:
    """The same on pages that look at the chosen word in their own way: once a word is chosen,
    the Explain page's method has no say there.
    """
    collect(session, explanation=False)
    _ask_opening_question(session, host)
    study = session.study
    if study is None or study.answer is None or session.asking is not None:
        return
    target = opening_target(study.answer, study.opening_word)
    if study.target is None and target is not None:
        spec = chosen_method()
        choose(session, host, target, spec.name, chosen_settings(spec))


def _ask_opening_question(session: Session, host: ModelHost) -> None:
    study = session.study
    if study is None:
        return
    unasked = study.answer is None and study.opening_question and session.asking is None
    if unasked and host.state != "failed":
        ask(session, host, study.opening_question)
        # The same question about the same picture may be answered already.
        collect(session, explanation=False)


def _take_next_step(session: Session, host: ModelHost) -> None:
    _ask_opening_question(session, host)
    study = session.study
    if study is None or study.answer is None or session.asking is not None:
        return
    spec = chosen_method()
    settings = chosen_settings(spec)
    target = study.target or opening_target(study.answer, study.opening_word)
    if target is not None and (study.target is None or study.wanted != (spec.name, settings)):
        choose(session, host, target, spec.name, settings)


def _put_picker_back(session: Session) -> None:
    """After a failure the earlier map stays, and so does the method that made it."""
    study = session.study
    if study is None or study.refused is None or study.shown is None:
        return
    spec = chosen_method()
    # The reader may have chosen yet another one since.
    if (spec.name, chosen_settings(spec)) == study.refused:
        set_picker(*study.shown)
    study.refused = None
