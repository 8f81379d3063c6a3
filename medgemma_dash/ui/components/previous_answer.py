"""Evidence that still stands while another answer is awaited is marked as the previous answer's."""

from __future__ import annotations

from medgemma_dash.services.explaining.tasks import ASK
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.wording import quoted
from medgemma_dash.ui.state.session import current_session

PREVIOUS = "of_the_previous_answer"


def previous_answer_line() -> None:
    """Say whose map, bars and zones these are; the style sheet dims them as long as it stands."""
    session = current_session()
    if ASK in session.jobs and session.answered is not None:
        question = quoted(session.answered.answer.prompt)
        line = [Segment("Map, bars and zones are of the previous answer, to "), Segment(question)]
        rich_line([line], key=PREVIOUS, tone="quiet", announce="status")
