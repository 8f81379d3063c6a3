"""What the reader of the film's file noticed, below the film."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.components.map_display import chosen_window, window_key
from medgemma_dash.ui.components.redraw import redraw
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.ui.state.study import Study

NOTES, WIDER = "radiograph_notes", "wider"
_HINT = "Changes the display only: the model always saw the film in the file's first window."


def film_notes(study: Study) -> None:
    """Draw the notices, and an action for a film whose first window shows next to nothing."""
    radiograph = study.radiograph
    lines = [[Segment(" ".join(radiograph.warnings), "small")]] if radiograph.warnings else []
    if radiograph.wider and chosen_window(study).name != radiograph.wider:
        lines.append([Segment("Show the full range", "action", WIDER, _HINT)])
    if lines:
        rich_line(lines, key=NOTES, tone="quiet", on_choose=_show_wider)


def _show_wider() -> None:
    study = current_session().study
    if study is not None and chosen_action(NOTES) == WIDER:
        st.session_state[window_key(study, "preset")] = study.radiograph.wider
        redraw("map", "downloads")
