"""What the reader of the film's file noticed, below the film."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.regions import looks_inverted
from medgemma_dash.ui.components.map_display import chosen_window, window_key
from medgemma_dash.ui.components.redraw import redraw
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.state.actions import open_negative
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.ui.state.study import Study

NOTES, WIDER, INVERTED = "radiograph_notes", "wider", "inverted"
_TURN = "The model then sees the negative of this picture, and is asked the question again."
_HINT = "Changes the display only: the model always saw the film in the file's first window."


def film_notes(study: Study) -> None:
    """Draw the notices, and actions for a film that is a negative, or whose first window shows next
    to nothing.
    """
    radiograph = study.radiograph
    lines = []
    if looks_inverted(radiograph):
        said = Segment("The picture looks inverted: its lungs are bright. ", "warning")
        lines.append([said, Segment("Open it the other way round", "action", INVERTED, _TURN)])
    if radiograph.warnings:
        lines.append([Segment(" ".join(radiograph.warnings), "small")])
    if radiograph.wider and chosen_window(study).name != radiograph.wider:
        lines.append([Segment("Show the full range", "action", WIDER, _HINT)])
    if lines:
        rich_line(lines, key=NOTES, tone="quiet", on_choose=_act)


def _act() -> None:
    session, action = current_session(), chosen_action(NOTES)
    if session.study is not None and action == WIDER:
        st.session_state[window_key(session.study, "preset")] = session.study.radiograph.wider
        redraw("map", "display", "downloads")
    if action == INVERTED:
        open_negative(session)
        st.rerun()
