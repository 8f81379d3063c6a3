"""The steps that need no click, on every page that shows an answer's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.services.explaining.tasks import ASK
from medgemma_dash.ui.state.actions import ask, choose, open_sample, weigh
from medgemma_dash.ui.state.collecting import COLLECTED, collect
from medgemma_dash.ui.state.methods import chosen_method, chosen_options, set_picker
from medgemma_dash.ui.state.samples import samples

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.session import Session
    from medgemma_dash.ui.state.study import Answered


def sample_if_empty(session: Session) -> None:
    """A page opens with a sample when nothing else is open, and nothing else was to be."""
    if session.study is None and not session.missing:
        open_sample(session, samples()[0])


def go_on(session: Session, host: ModelHost) -> None:
    """Take the next step that needs no click: opening question, opening word, changed method."""
    session.jobs.resume(host, *COLLECTED)
    collect(session)
    _put_picker_back(session)
    answered = _answered(session, host)
    if answered is not None and answered.target is not None:
        spec = chosen_method()
        options = chosen_options(spec)
        if answered.wanted != (spec.name, options):
            choose(session, host, answered.target, spec.name, options)
            _put_picker_back(session)
        weigh(session, host)


def go_to_word(session: Session, host: ModelHost) -> None:
    """The same on pages that look at the chosen word in their own way: once a word is chosen,
    the Explain page's method has no say there.
    """
    session.jobs.resume(host, *COLLECTED)
    collect(session, explanation=False)
    answered = _answered(session, host)
    if answered is not None and answered.target is not None and not answered.begun:
        spec = chosen_method()
        choose(session, host, answered.target, spec.name, chosen_options(spec))


def _answered(session: Session, host: ModelHost) -> Answered | None:
    """The open answer, unless another one is awaited; the opening question is asked for it."""
    study = session.study
    if study is None:
        return None
    unasked = study.answered is None and study.opening_question and ASK not in session.jobs
    if unasked and host.state != "failed":
        ask(session, host, study.opening_question)
        # The same question about the same picture may be answered already.
        collect(session, explanation=False)
    return None if ASK in session.jobs else study.answered


def _put_picker_back(session: Session) -> None:
    """After a failure the earlier map stays, and so does the method that made it."""
    answered = session.answered
    if answered is None or answered.refused is None or answered.shown is None:
        return
    spec = chosen_method()
    # The reader may have chosen yet another one since.
    if (spec.name, chosen_options(spec)) == answered.refused:
        set_picker(*answered.shown.made_by)
    answered.refused = None
