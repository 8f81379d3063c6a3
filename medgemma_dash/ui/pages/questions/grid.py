"""Rows of a set as an AgGrid: sorted by its columns, and one of them opened by a click."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st
from st_aggrid import AgGrid

from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.zone_grid import (
    HEADER_HEIGHT_PX,
    ROW_HEIGHT_PX,
    frame_styles,
    tend_frame,
)
from medgemma_dash.ui.pages.questions.state import QuestionsState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    import pandas as pd
    from st_aggrid import AgGridReturn

MOST_ROWS = 1000
CONTAINER = "questions_rows"
# What a column is called, how wide it is (0 takes what is left), and what is said of it.
COLUMNS: dict[str, tuple[str, int, str]] = {
    "row": ("row", 58, "Its place in the table, from 0."),
    "asked": ("question", 0, "The text that is put to the model."),
    "finding": ("finding", 130, "What it is about: the table's own, else read from the question."),
    "strategy": ("strategy", 140, "How the wording was made."),
    "phrasing": ("phrasing", 92, "The baseline wording, or one that was shown or withheld."),
    "image": ("image", 150, "What names its image."),
    "truth": ("truth", 66, "The right answer; empty where the table says neither yes nor no."),
    "answer": ("answer", 220, "What the model said."),
    "parsed": ("read as", 80, "The answer read as yes, no or uncertain."),
    "margin": ("margin", 78, "Logit of yes less that of no, where the answer begins; above 0 yes."),
    "blank_margin": ("blanked", 80, "The same with the image blanked."),
    "swapped_margin": ("swapped", 84, "The same with an image of the other truth in its place."),
    "problem": ("problem", 240, "Why it cannot be asked, or what went wrong."),
}
NUMBERS = ("row", "margin", "blank_margin", "swapped_margin")


def row_grid(frame: pd.DataFrame, *, rows_in_sight: int, key: str) -> None:
    """Draw the first MOST_ROWS of these rows; a click on one sets the state's `to_open`.

    frame: columns of COLUMNS, in that order. key: another one for other rows.
    """
    shown = frame.head(MOST_ROWS)
    shown = shown.assign(
        **{name: shown[name].round(2) for name in NUMBERS if name in shown and name != "row"}
    )
    options = {
        "columnDefs": [_column(name) for name in shown.columns],
        "rowHeight": ROW_HEIGHT_PX,
        "headerHeight": HEADER_HEIGHT_PX,
        "rowSelection": {
            "mode": "singleRow",
            "checkboxes": False,
            "enableClickSelection": True,
        },
        "ensureDomOrder": True,
        "animateRows": False,
        "suppressMovableColumns": True,
        "suppressContextMenu": True,
    }
    with st.container(key=CONTAINER):
        AgGrid(
            shown,
            gridOptions=options,
            height=_height(len(shown), rows_in_sight),
            theme="streamlit",
            update_on=["selectionChanged"],
            callback=_clicked,
            allow_unsafe_jscode=False,
            enable_enterprise_modules=False,
            custom_css=frame_styles(dark=is_dark()),
            key=f"question_rows_{key}_{'dark' if is_dark() else 'light'}",
        )
    tend_frame(CONTAINER)


def _height(rows: int, in_sight: int) -> int:
    """Of a frame that cuts a row in two where there are more, for its scroll bar may be hidden."""
    whole = HEADER_HEIGHT_PX + ROW_HEIGHT_PX * max(1, min(rows, in_sight)) + 6
    return whole if rows <= in_sight else whole + ROW_HEIGHT_PX // 2


def _column(name: str) -> dict[str, Any]:
    title, width, hint = COLUMNS[name]
    column = {"field": name, "headerName": title, "headerTooltip": hint, "tooltipField": name}
    room = {"width": width} if width else {"flex": 1, "minWidth": 190}
    return column | room | ({"type": "rightAligned"} if name in NUMBERS else {})


def _clicked(told: AgGridReturn) -> None:
    rows = told.selected_rows
    if rows is not None and len(rows):
        page_state(QuestionsState).to_open = int(rows["row"].iloc[0])
