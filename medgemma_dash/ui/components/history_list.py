"""What was asked about the open film, one click back to each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.wording import quoted
from medgemma_dash.ui.state.actions import recall
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medgemma_dash.ui.components.rich_line import Line
    from medgemma_dash.ui.state.study import Answered

HISTORY = "history"


def history_list() -> None:
    """A quiet button that lists the questions and answers, once there are several."""
    study = current_session().study
    if study is None or len(study.history) + study.history.dropped < 2:
        return
    # Another answer on screen closes it.
    with st.popover(
        f"History ({len(study.history)})",
        key=f"history_of_{study.generation}",
        icon=":material/history:",
        type="tertiary",
    ):
        lines = list(_lines(study.history, study.answered))
        if study.history.dropped:
            dropped = study.history.dropped
            words = "1 earlier answer was" if dropped == 1 else f"{dropped} earlier answers were"
            lines.append([Segment(f"{words} let go to spare memory.", "small")])
        rich_line(lines, key=HISTORY, on_choose=_choose)


def _lines(history: Iterable[Answered], shown: Answered | None) -> Iterable[Line]:
    for one in history:
        question, said = quoted(one.answer.prompt), Segment(f"  {quoted(one.answer.text)}", "quiet")
        if one is shown:
            yield [Segment(question, "word"), said]
        else:
            hint = "Go back to this answer; nothing is computed again."
            yield [Segment(question, "action", one.answer.key, hint), said]


def _choose() -> None:
    key = chosen_action(HISTORY)
    if key is not None:
        recall(current_session(), key)
