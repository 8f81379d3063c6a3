"""The radiograph with the map over it, and the quiet controls of its display."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.figures import MAGNITUDE_SCALES, View, relevance_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.explaining.word_shares import leaning, together
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.kept_view import kept_view
from medgemma_dash.ui.components.map_display import (
    DEFAULT_OPACITY,
    ONE_SCALE,
    OWN_WINDOW,
    answer_display,
    chosen_window,
    displayed_jpeg,
    window_key,
)
from medgemma_dash.ui.components.patch_clicks import clicked_patch, patch_clicks
from medgemma_dash.ui.components.redraw import redraw
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_drag import dragged_window, window_drag
from medgemma_dash.ui.components.wording import unit_words
from medgemma_dash.ui.components.zones import zone_names, zones_of
from medgemma_dash.ui.pages.explain.film_notes import film_notes
from medgemma_dash.ui.pages.explain.state import (
    DRAG_WINDOW,
    DRAWN_ZONES,
    ExplainState,
    FilmState,
)
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.methods import is_control, shown_method
from medgemma_dash.ui.state.session import current_session, page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.explanation import Explanation
    from medgemma_dash.ui.state.study import Study

# What stands above and below the picture leaves so much of the window.
TALLEST = "max(22rem, calc(100vh - 28rem))"
CLICKS, DRAG = "map_clicks", "map_window"
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
    radiograph = study.radiograph
    view = kept_view(container=keys.OVERLAY, key="map_view", revision=radiograph.sha256)
    with film_box(keys.OVERLAY, radiograph.width, radiograph.height, tallest=TALLEST):
        _picture(study, view)
    patch_clicks(container=keys.OVERLAY, key=CLICKS, on_click=_remember_cell)
    with st.container(key="map_controls"):
        _controls(study)
    _dragging(study)
    film_notes(study)


def _picture(study: Study, view: View | None) -> None:
    radiograph = study.radiograph
    answered, cell = study.answered, page_state(ExplainState).cell
    explanation = answered.explanation if answered else None
    grid = answered.answer.grid if answered else (16, 16)
    zones = zones_of(study, grid)
    display = answer_display(answered)
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
        scale_peak=display.scale_peak,
        signed=bool(explanation and explanation.signed),
        laterality=str(shown_laterality(radiograph)),
        selected_cells=(cell,) if cell else (),
        mark_peak=explanation is None or not is_control(explanation.method),
        drawn_zones=bool(widget_value(DRAWN_ZONES, False)),
        lit_zones=page_state(FilmState).lit_zones,
        revision=radiograph.sha256,
        view=view,
        dark=is_dark(),
        fine=explanation.fine if explanation else None,
    )
    chart(
        figure,
        tools=True,
        height="stretch",
        key="map_figure",
        alt=_alternative_text(study, explanation),
    )


def _remember_cell() -> None:
    """A click on the chosen cell lets it go."""
    state, cell = page_state(ExplainState), clicked_patch(CLICKS)
    if cell is None:
        return
    state.cell = None if cell == state.cell else cell
    redraw("map", "answer")


def _dragging(study: Study) -> None:
    """Windowing with the mouse, while its switch is on."""
    low, high = _intensities(study)
    if not widget_value(DRAG_WINDOW, False) or high <= low:
        return
    window_drag(
        container=keys.OVERLAY,
        key=DRAG,
        window=chosen_window(study),
        low=low,
        high=high,
        narrowest=(high - low) / 100,
        on_window=_take_window,
    )


def _take_window() -> None:
    study, chosen = current_session().study, dragged_window(DRAG)
    if study is None or chosen is None:
        return
    low, high = _intensities(study)
    span = high - low
    ends = {"centre": (low, high), "width": (span / 100, span * 2)}
    for value, (part, (least, most)) in zip(chosen, ends.items(), strict=True):
        st.session_state[window_key(study, part)] = min(max(value, least), most)
    st.session_state[window_key(study, "preset")] = OWN_WINDOW
    _redraw()


def _intensities(study: Study) -> tuple[float, float]:
    values = study.radiograph.intensities
    return float(values.min()), float(values.max())


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
    opacity, threshold, mode = st.columns([3, 3, 3], gap="small", vertical_alignment="bottom")
    with opacity:
        _percent_slider("Opacity", keys.OPACITY, 100, DEFAULT_OPACITY)
    with threshold:
        _percent_slider("Hide below", keys.THRESHOLD, 95, 0)
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
    with st.container(horizontal=True, vertical_alignment="center", key="map_menus"):
        _window_popover(study)
        _colours_popover()
        st.toggle(
            "Zones",
            key=DRAWN_ZONES,
            on_change=redraw,
            args=("map",),
            help="The lung zones' borders. A click on a row of the zone table lights its zone.",
            persist_state="session",
        )
        low, high = _intensities(study)
        if high > low:
            st.toggle(
                "Drag to window",
                key=DRAG_WINDOW,
                on_change=_redraw,
                help="Drag on the radiograph: sideways for the width, up and down for the centre. "
                + DISPLAY_ONLY,
                persist_state="session",
            )


def _percent_slider(label: str, key: str, most: int, value: int) -> None:
    st.slider(
        label,
        0,
        most,
        value,
        5,
        format="%d%%",
        key=key,
        on_change=_redraw,
        persist_state="session",
    )


def _colours_popover() -> None:
    popover = st.popover("Colours", key="colours_popover", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    with popover, st.container(key="colours_menu"):
        st.selectbox(
            "Colours of the map",
            MAGNITUDE_SCALES,
            key=keys.COLOUR_SCALE,
            on_change=_redraw,
            persist_state="session",
            help="Signed maps are always red for, blue against.",
        )
        st.toggle(
            "One scale for all words",
            key=ONE_SCALE,
            on_change=_redraw,
            help="The colours end at the strongest of the answer's words that are explained, so "
            "that a weak word looks weak. Off: at each map's own peak.",
            persist_state="session",
        )


def _window_popover(study: Study) -> None:
    popover = st.popover("Window", key="window_popover", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    presets = study.radiograph.windows
    low, high = _intensities(study)
    span = high - low
    with popover, st.container(key="window_menu"):
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
