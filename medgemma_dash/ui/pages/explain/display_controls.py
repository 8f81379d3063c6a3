"""How the picture and its map are displayed: the quiet controls below it, windowing by drag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.figures import MAGNITUDE_SCALES
from medgemma_dash.ui.components.interventions import intervention_button
from medgemma_dash.ui.components.map_display import (
    DEFAULT_OPACITY,
    ONE_SCALE,
    OWN_WINDOW,
    chosen_window,
    window_key,
)
from medgemma_dash.ui.components.redraw import redraw
from medgemma_dash.ui.components.window_drag import dragged_window, window_drag
from medgemma_dash.ui.pages.explain.film_notes import film_notes
from medgemma_dash.ui.pages.explain.state import DRAG_WINDOW, DRAWN_ZONES
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.session import current_session, widget_value

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Study

DRAG = "map_window"
WINDOW_STEPS = 200
DISPLAY_ONLY = (
    "Changes the display only: the model always saw the radiograph in the file's first window."
)


@st.fragment(key="display")
def display_controls(host: ModelHost) -> None:
    """Draw them, and what is said of the film; a word that is chosen changes none of it.

    Each control draws the picture anew, and the files that look like it.
    """
    study = current_session().study
    if study is None:
        return
    with st.container(key="map_controls"):
        _controls(study, host)
    _windowing_by_drag(study)
    film_notes(study)


def _controls(study: Study, host: ModelHost) -> None:
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
        intervention_button(host, "explain")


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


def _windowing_by_drag(study: Study) -> None:
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
    """The picture, what is said of its window, and the files to download, which look like it."""
    redraw("map", "display", "downloads")
