"""The steps that need no click, on every page that shows an answer's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.ui.actions import ask, choose, collect, opening_target
from medgemma_dash.ui.method_choice import chosen_method, chosen_settings
from medgemma_dash.ui.picker import open_sample
from medgemma_dash.ui.samples import samples

if TYPE_CHECKING:
    from medgemma_dash.services.model_host import ModelHost
    from medgemma_dash.ui.session import Session


def sample_if_empty(session: Session) -> None:
    """A page opens with a sample when nothing else is open."""
    if session.study is None:
        open_sample(session, samples()[0])


def go_on(session: Session, host: ModelHost) -> None:
    """Take the next step that needs no click: opening question, opening word, changed method."""
    collect(session)
    study = session.study
    if study is None:
        return
    unasked = study.answer is None and study.opening_question and session.asking is None
    if unasked and host.state != "failed":
        ask(session, host, study.opening_question)
        # The same question about the same picture may be answered already.
        collect(session)
    if study.answer is None or session.asking is not None or session.explaining is not None:
        return
    spec = chosen_method()
    settings = chosen_settings(spec)
    if study.target is None:
        choose(session, host, opening_target(study.answer, study.opening_word), spec.name, settings)
    elif study.shown != (spec.name, settings):
        choose(session, host, study.target, spec.name, settings)
