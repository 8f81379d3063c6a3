"""Evidence that still stands while something else is awaited is marked as what it is of."""

from __future__ import annotations

from medgemma_dash.services.explaining.tasks import ASK, EXPLAIN
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.wording import contrast_words, quoted
from medgemma_dash.ui.state.methods import method_words
from medgemma_dash.ui.state.session import current_session

PREVIOUS = "of_the_previous_answer"
EARLIER = "of_an_earlier_choice"


def previous_answer_line() -> None:
    """Say whose map, bars and zones these are; the style sheet dims them as long as it stands."""
    session = current_session()
    if ASK in session.jobs and session.answered is not None:
        question = quoted(session.answered.answer.prompt)
        line = [Segment("Map, bars and zones are of the previous answer, to "), Segment(question)]
        rich_line([line], key=PREVIOUS, tone="quiet", announce="status")


def earlier_choice_line() -> None:
    """The same of the word and the method, while others take longer than the reader's patience."""
    session = current_session()
    answered = session.answered
    if answered is None or answered.shown is None or EXPLAIN not in session.jobs:
        return
    shown, line = answered.shown, [Segment("Map, bars and zones are still")]
    if answered.target != shown.explanation.target:
        word = contrast_words(answered.answer, shown.explanation.target)
        line.extend([Segment(" of "), Segment(word, "word")])
    if answered.wanted != shown.made_by:
        line.append(Segment(f" by {method_words(*shown.made_by)}"))
    rich_line([line], key=EARLIER, tone="quiet", announce="status")
