"""The radiograph with the map over it, and the quiet controls of its display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.figures import MAGNITUDE_SCALES, relevance_figure
from medgemma_dash.services.explaining.word_shares import leaning, together
from medgemma_dash.ui.components.chart import chart, clicked_cells
from medgemma_dash.ui.components.kept_view import kept_view
from medgemma_dash.ui.components.map_display import (
    DEFAULT_OPACITY,
    OWN_WINDOW,
    chosen_display,
    displayed_jpeg,
    window_key,
)
from medgemma_dash.ui.components.redraw import redraw
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import unit_words
from medgemma_dash.ui.components.zones import zone_names, zones_of
from medgemma_dash.ui.pages.explain.film_notes import film_notes
from medgemma_dash.ui.pages.explain.state import ExplainState
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.methods import shown_method
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.explanation import Explanation
    from medgemma_dash.ui.state.study import Study

TALLEST_PX = 560
COLOUR_BAR_PX = 44
WORDS_ON_A_CELL = 3
WINDOW_STEPS = 200
DISPLAY_ONLY = (
    "Changes the display only: the model always saw the radiograph in the file's first window."
)


@st.fragment(key="map")
def map_panel() -> None:
    """Draw the picture, its map and the display controls; a clicked cell is remembered."""
    study = current_session().study
    if study is None:
        return
    with st.container(key=keys.OVERLAY):
        _picture(study)
    with st.container(key="map_controls"):
        _controls(study)
    film_notes(study)


def _picture(study: Study) -> None:
    radiograph = study.radiograph
    answered, cell = study.answered, page_state(ExplainState).cell
    explanation = answered.explanation if answered else None
    grid = answered.answer.grid if answered else (16, 16)
    zones = zones_of(study, grid)
    display = chosen_display()
    figure = relevance_figure(
        displayed_jpeg(study),
        radiograph.width,
        radiograph.height,
        grid,
        explanation.image if explanation else None,
        zone_names=zone_names(zones),
        cell_words=_cell_words(study),
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        signed=bool(explanation and explanation.signed),
        laterality=str(radiograph.laterality),
        selected_cells=(cell,) if cell else (),
        revision=radiograph.sha256,
        view=kept_view(container=keys.OVERLAY, key="map_view", revision=radiograph.sha256),
        dark=is_dark(),
        height_px=min(TALLEST_PX, round(TALLEST_PX * radiograph.height / radiograph.width))
        + COLOUR_BAR_PX,
        fine=explanation.fine if explanation else None,
    )
    # In a narrow column the picture keeps to the top instead of the middle, and it keeps its
    # size when the colour bar comes and goes.
    figure.layout.yaxis.constraintoward = "top"
    figure.layout.margin.b = COLOUR_BAR_PX
    chart(
        figure,
        tools=True,
        on_select=_remember_cell,
        selection_mode="points",
        key="map_figure",
        alt=_alternative_text(study, explanation),
    )


def _remember_cell() -> None:
    state = page_state(ExplainState)
    cells = clicked_cells("map_figure", (state.cell,) if state.cell else ())
    if cells is None:
        return
    state.cell = cells[0] if cells else None
    redraw("map", "answer")


def _redraw() -> None:
    """The picture, and the files to download, which look like it."""
    redraw("map", "downloads")


def _cell_words(study: Study) -> list[list[list[str]]] | None:
    """For every cell, the answer's words that leaned on it most, of those explained so far."""
    if study.answered is None:
        return None
    answer, (spec, options) = study.answered.answer, shown_method(study)
    known = study.answered.store.tensor(spec.name, options)
    units = answer.units
    texts = [unit_words(answer, unit) for unit in units]
    rows, _ = together(known.relevancy, known.filled, units)
    found = leaning(answer, rows, WORDS_ON_A_CELL)
    cells = [[texts[index] for index in indices] for indices in found]
    height, cols = answer.grid
    return [cells[row * cols : (row + 1) * cols] for row in range(height)]


def _alternative_text(study: Study, explanation: Explanation | None) -> str:
    if explanation is None:
        return f"Radiograph: {study.title}."
    row, col = np.unravel_index(int(np.argmax(explanation.image)), explanation.image.shape)
    return f"Radiograph with a relevance map whose peak lies at row {row}, column {col}."


def _controls(study: Study) -> None:
    opacity, threshold, window, mode = st.columns(
        [3, 3, 3, 4], gap="small", vertical_alignment="bottom"
    )
    with opacity:
        st.slider(
            "Opacity",
            0,
            100,
            DEFAULT_OPACITY,
            5,
            format="%d%%",
            key=keys.OPACITY,
            on_change=_redraw,
            persist_state="session",
        )
    with threshold:
        st.slider(
            "Hide below",
            0,
            95,
            0,
            5,
            format="%d%%",
            key=keys.THRESHOLD,
            on_change=_redraw,
            persist_state="session",
        )
    with window:
        _display_popover(study)
    with mode:
        st.segmented_control(
            "Map drawing",
            ["Smooth", "Grid"],
            default="Smooth",
            required=True,
            key=keys.MODE,
            on_change=_redraw,
            label_visibility="collapsed",
            persist_state="session",
        )


def _display_popover(study: Study) -> None:
    popover = st.popover(
        "Window / level", key="display_popover", on_change="rerun", type="tertiary"
    )
    if not popover.open:
        return
    presets = study.radiograph.windows
    low, high = float(study.radiograph.intensities.min()), float(study.radiograph.intensities.max())
    span = high - low
    with popover:
        preset = st.selectbox(
            "Window",
            [*(preset.name for preset in presets), OWN_WINDOW],
            key=window_key(study, "preset"),
            on_change=_redraw,
            help=DISPLAY_ONLY,
            persist_state="session",
        )
        if preset == OWN_WINDOW and span > 0:
            _window_slider(study, "Level (centre)", "centre", low, high, presets[0].centre)
            _window_slider(study, "Width", "width", span / 100, span * 2, presets[0].width)
        st.caption(DISPLAY_ONLY)
        st.selectbox(
            "Colours of the map",
            MAGNITUDE_SCALES,
            key=keys.COLOUR_SCALE,
            on_change=_redraw,
            persist_state="session",
        )


def _window_slider(
    study: Study, label: str, part: str, low: float, high: float, value: float
) -> None:
    st.slider(
        label,
        low,
        high,
        min(max(value, low), high),
        # Streamlit's own step would be too coarse for intensities between 0 and 1.
        step=(high - low) / WINDOW_STEPS,
        format="%.4g",
        key=window_key(study, part),
        on_change=_redraw,
        persist_state="session",
    )
