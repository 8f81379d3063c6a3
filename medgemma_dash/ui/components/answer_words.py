"""What several pages say about the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.ui.components.job_watch import filling_progress
from medgemma_dash.ui.components.method_picker import (
    method_words,
    shown_method,
)
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.state.session import Study, current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost


def no_answer_line(host: ModelHost, what_to_do: str) -> None:
    """Say why there is no answer: nothing was asked yet, or there is no model to ask."""
    if host.state == "failed":
        line = [
            Segment("There is no model to answer. ", "warning"),
            Segment(f"{host.message} Home has a button to try again."),
        ]
        rich_line([line], key="no_answer", tone="error", announce="alert")
    elif host.state == "ready":
        rich_line([[Segment(what_to_do, "quiet")]], key="no_answer")


def fill_line(host: ModelHost, study: Study) -> None:
    """How far explaining every word is; it goes on when another method is chosen meanwhile."""
    filling = current_session().filling
    if filling is None:
        return
    other = "" if fills(study) else method_words(filling.method, filling.settings)
    filling_progress(host, other)


def fills(study: Study) -> bool:
    """Whether every word is being explained by the method that is on screen."""
    filling, (spec, settings) = current_session().filling, shown_method(study)
    return filling is not None and (filling.method, filling.settings) == (spec.name, settings)
