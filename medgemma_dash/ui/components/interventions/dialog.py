"""The dialog: patches are chosen on the film at the left, what becomes of the answer is at the
right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.core.removals import REMOVALS
from medgemma_dash.figures import relevance_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.interventions.plan import (
    Cell,
    How,
    cells_of,
    mask_of,
    selection_problem,
)
from medgemma_dash.services.interventions.tasks import intervention_task
from medgemma_dash.ui.components.chart import chart, selection_of
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.interventions.drawn import drawn_cells
from medgemma_dash.ui.components.interventions.record import show_changes
from medgemma_dash.ui.components.interventions.state import Asked, InterventionState
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.one_of import one_of
from medgemma_dash.ui.components.patch_clicks import clicked_patch, patch_clicks
from medgemma_dash.ui.components.record_frame import record_files
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import target_words
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Shown, Study

FILM, FIGURE, CLICKS = "intervention_film", "intervention_figure", "intervention_clicks"
PART = "intervention_record"
TALLEST = "max(18rem, calc(100vh - 27rem))"
# What is chosen when the dialog is first opened: patches that reach this share of the map's peak,
# and no more of them than this share of all.
OF_PEAK, OF_PATCHES = 0.25, 0.1
DRAWING = {"Box": False, "Paint": True}
HOWS: dict[How, str] = {"remove": "Remove", "keep": "Keep"}


def _close() -> None:
    page_state(InterventionState).opened = ""


@st.dialog("Remove or keep patches", width="large", on_dismiss=_close)
def intervention_dialog(host: ModelHost) -> None:
    """Draw it for the map on screen."""
    study, answered = current_session().study, current_session().answered
    if study is None or answered is None or answered.shown is None:
        return
    state, grid = page_state(InterventionState), answered.answer.grid
    if state.cells is None:
        state.cells = most_marked(answered.shown)
    with st.container(key="intervention_columns"):
        left, right = st.columns([44, 56], gap="medium")
    with left:
        how, removal = _choices()
        drawing = _film(study, answered, answered.shown, state.cells)
        _tools(answered.shown, drawing)
    shown = answered.shown
    asked = Asked(state.cells, how, removal, shown.explanation.target, shown.made_by)
    with right:
        if problem := selection_problem(len(asked.cells), grid[0] * grid[1]):
            line = [[Segment(problem)]]
            rich_line(line, key="no_intervention", tone="note", announce="status")
        else:
            _result(host, answered, asked)


def most_marked(shown: Shown) -> tuple[Cell, ...]:
    """The patches on which the map is highest."""
    image = shown.explanation.image
    strong = int((image >= OF_PEAK * image.max()).sum())
    count = max(1, min(strong, round(OF_PATCHES * image.size)))
    mask = np.zeros(image.size, np.bool_)
    mask[np.argsort(-image.ravel(), kind="stable")[:count]] = True
    return cells_of(mask.reshape(image.shape))


def _choices() -> tuple[How, str]:
    with st.container(
        horizontal=True, gap="small", vertical_alignment="center", key="intervention_choices"
    ):
        how = one_of("Remove or keep", HOWS, "intervention_how", HOWS.__getitem__)
        removal = st.selectbox(
            "What takes the place of removed patches",
            list(REMOVALS),
            key="intervention_removal",
            format_func=lambda name: f"by {name}",
            label_visibility="collapsed",
            width=190,
            persist_state="session",
            help="Mean token: the mean of the image's own tokens. Another patient: those of a "
            "sample radiograph. Blur (10 pixels), mean grey and inpainting change the picture "
            "itself, which is then encoded again; a blur leaves large soft shadows as they are.",
        )
    return how, removal


def _film(study: Study, answered: Answered, shown: Shown, cells: tuple[Cell, ...]) -> str:
    radiograph, display = study.radiograph, chosen_display()
    drawing = st.session_state.get("intervention_drawing") or next(iter(DRAWING))
    words = target_words(answered.answer, shown.explanation.target)
    figure = relevance_figure(
        displayed_jpeg(study),
        radiograph.width,
        radiograph.height,
        answered.answer.grid,
        shown.explanation.image,
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        signed=shown.explanation.signed,
        laterality=str(shown_laterality(radiograph)),
        selected_cells=cells,
        mark_peak=False,
        boxes=True,
        lasso=DRAWING[drawing],
        revision=radiograph.sha256,
        dark=is_dark(),
    )
    with film_box(FILM, radiograph.width, radiograph.height, tallest=TALLEST), st.container():
        chart(
            figure,
            key=FIGURE,
            on_select=_take_drawn,
            height="stretch",
            alt=f"The radiograph with the relevance of {words}; {len(cells)} patches are chosen.",
            tools=True,
        )
    patch_clicks(container=FILM, key=CLICKS, on_click=_take_click)
    return drawing


def _tools(shown: Shown, drawing: str) -> None:
    with st.container(
        horizontal=True, gap="small", vertical_alignment="center", key="intervention_tools"
    ):
        one_of("How patches are chosen", DRAWING, "intervention_drawing")
        st.button(
            "What the map marks",
            key="intervention_marked",
            type="tertiary",
            help=f"The patches that reach {OF_PEAK:.0%} of the map's peak, and at most "
            f"{OF_PATCHES:.0%} of all.",
            on_click=_choose,
            args=(most_marked(shown),),
        )
        st.button("Clear", key="intervention_clear", type="tertiary", on_click=_choose, args=((),))
    said = (
        "Drag a box around patches"
        if drawing == "Box"
        else "Draw over patches, or around them, to add them"
    )
    st.caption(f"{said}; a click takes one in or out.")


def _result(host: ModelHost, answered: Answered, asked: Asked) -> None:
    @st.fragment(key=PART)
    def part() -> None:
        state = page_state(InterventionState)
        # A place of its own: what stands below keeps its place while another result is awaited.
        with st.container():
            record = state.records.get(asked) or _found(host, answered, asked)
        earlier = None if state.latest is None else state.records.get(state.latest)
        shown = record or earlier
        if shown is None:
            return
        if record is None:
            st.caption("Until then, what was found before:")
        show_changes(shown, part="intervention_")
        record_files(shown, part="intervention_")

    part()


def _found(host: ModelHost, answered: Answered, asked: Asked) -> Record | None:
    state, shown = page_state(InterventionState), answered.shown
    method, options = asked.made_by
    known = shown is not None and shown.made_by == asked.made_by
    explanation = shown.explanation if shown is not None and known else None
    task = intervention_task(
        answered.answer,
        asked.target,
        mask_of(asked.cells, answered.answer.grid),
        asked.how,
        removal=asked.removal,
        method=method,
        options=dict(options),
        explanation=explanation,
    )
    record = result_of(
        host, task, asked, again="try again", problem="intervention_problem", part=PART
    )
    if record is not None:
        state.keep(asked, record)
    return record


def _choose(cells: tuple[Cell, ...]) -> None:
    page_state(InterventionState).cells = tuple(sorted(cells))


def _take_drawn() -> None:
    """A box is taken in place of the selection, what is painted beside it."""
    study, answered = current_session().study, current_session().answered
    if study is None or answered is None:
        return
    size, state = (study.radiograph.width, study.radiograph.height), page_state(InterventionState)
    cells = drawn_cells(selection_of(FIGURE), size, answered.answer.grid)
    # A double click chooses nothing, and takes nothing back.
    if cells:
        painted = DRAWING[st.session_state.get("intervention_drawing") or next(iter(DRAWING))]
        _choose(tuple({*cells, *((state.cells or ()) if painted else ())}))


def _take_click() -> None:
    cell, chosen = clicked_patch(CLICKS), set(page_state(InterventionState).cells or ())
    if cell is not None:
        _choose(tuple(chosen ^ {cell}))
