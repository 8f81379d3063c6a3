"""The radiograph with the map over it, and clicks on its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.figures import View, relevance_figure
from medgemma_dash.regions import looks_inverted, shown_laterality
from medgemma_dash.services.explaining.word_shares import leaning, together
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.kept_view import kept_view
from medgemma_dash.ui.components.map_display import answer_display, displayed_jpeg
from medgemma_dash.ui.components.patch_clicks import clicked_patch, patch_clicks
from medgemma_dash.ui.components.redraw import redraw
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import unit_words
from medgemma_dash.ui.components.zones import zone_names, zones_of
from medgemma_dash.ui.pages.explain.state import DRAWN_ZONES, ExplainState, FilmState
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.methods import is_control, shown_method
from medgemma_dash.ui.state.session import current_session, page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.explanation import Explanation
    from medgemma_dash.ui.state.study import Study

# What stands above and below the picture leaves so much of the window.
TALLEST = "max(22rem, calc(100vh - 28rem))"
BESIDE_A_WARNING = "max(20rem, calc(100vh - 30.2rem))"
CLICKS = "map_clicks"
WORDS_ON_A_CELL = 3


@st.fragment(key="map")
def map_panel() -> None:
    """Draw the picture and its map; a clicked cell is remembered."""
    study = current_session().study
    if study is None:
        return
    radiograph = study.radiograph
    view = kept_view(container=keys.OVERLAY, key="map_view", revision=radiograph.sha256)
    tallest = BESIDE_A_WARNING if looks_inverted(radiograph) else TALLEST
    with film_box(keys.OVERLAY, radiograph.width, radiograph.height, tallest=tallest):
        _picture(study, view)
    patch_clicks(container=keys.OVERLAY, key=CLICKS, on_click=_remember_cell)


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
    return f"Radiograph with a relevance map whose peak lies at row {row}, column {col} (from 0)."
