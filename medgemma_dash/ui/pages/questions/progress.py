"""How far a run is, how long it will take, and a way to end it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.components.job_watch import describe
from medgemma_dash.ui.components.redraw import draw_fragments
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.pages.questions.state import BODY, runs_under_way

if TYPE_CHECKING:
    from medgemma_dash.services.questions.under_way import RunUnderWay

POLL_SECONDS = 1.0
LINE = "questions_progress"


def run_progress(run: RunUnderWay) -> None:
    """Draw it; the page's body is drawn anew when the run has ended, and for new scores."""
    name = run.name

    def poll() -> None:
        run = runs_under_way().get(name)
        if run is None or run.job.finished or run.has_news:
            draw_fragments([BODY])
        _line(run)

    # Streamlit knows a fragment by its name and place.
    poll.__qualname__ = f"watch {name}"
    st.fragment(poll, run_every=POLL_SECONDS)()


def _line(run: RunUnderWay) -> None:
    def choose() -> None:
        if chosen_action(LINE) == "cancel":
            run.job.cancel()

    line = [
        Segment(describe(run.job)),
        Segment(" · every row is kept as it is done, also when this page is closed  ", "small"),
        Segment("cancel", "action", "cancel"),
    ]
    rich_line([line], key=LINE, tone="quiet", announce="status", on_choose=choose)
