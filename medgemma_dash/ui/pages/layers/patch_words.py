"""The other way round: from patches of the radiograph to the words and layers that lean on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.figures import (
    WordRelevance,
    chosen_cells,
    layer_figure,
    prompt_words_figure,
    relevance_figure,
)
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.explaining.word_shares import (
    ranked,
    shares_on_cells,
    together,
)
from medgemma_dash.ui.components.answer_words import fill_line, fills
from medgemma_dash.ui.components.chart import chart, selection_of
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.patch_clicks import clicked_patch, patch_clicks
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import unit_words
from medgemma_dash.ui.components.zones import zone_names, zones_of
from medgemma_dash.ui.pages.layers.state import LayersState
from medgemma_dash.ui.state.actions import explain_every_word
from medgemma_dash.ui.state.methods import shown_method
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.services.layers.view import LayerView
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Study

TALLEST = "26rem"
FILM, CLICKS = "patch_film", "patch_clicks"
MOST_WORDS = 12


def patch_words(host: ModelHost, study: Study, answered: Answered, view: LayerView) -> None:
    """Choose patches by click or box; see words and layers."""
    answer, chosen = answered.answer, page_state(LayersState).cells
    with st.container(key="patch_columns"):
        left, middle, right = st.columns([34, 33, 33], gap="medium")
    with left:
        _picture(study, answer, view, chosen)
    spec, options = shown_method(study)
    with middle:
        st.caption("Answer words that lean on these patches: share of each word's relevance")
        known = answered.store.tensor(spec.name, options)
        rows = together(known.relevancy, known.filled, answer.units)
        sums = shares_on_cells(answer, *rows, chosen)
        unknown = int(np.isnan(sums).sum())
        order = ranked(sums)[:MOST_WORDS]
        if not chosen:
            line = "Click a patch, or draw a box around several."
            rich_line([[Segment(line, "quiet")]], key="no_patches")
        elif not order:
            line = "No explained word leans on these patches."
            rich_line([[Segment(line, "quiet")]], key="no_words_on_patches")
        else:
            words = [
                WordRelevance(unit_words(answer, answer.units[i]), float(sums[i]), "answer")
                for i in order
            ]
            chart(
                prompt_words_figure(
                    words, is_dark(), share_of="of the word's relevance on the image"
                ),
                key="patch_words",
                alt="Bars: the words that lean most on the chosen patches.",
            )
        fill_line(study)
        if unknown and not fills(study):
            st.button(
                f"Explain the other {unknown} words",
                key="explain_rest",
                type="tertiary",
                on_click=explain_every_word,
                args=(current_session(), host, spec.name, options),
            )
    with right:
        st.caption("Layers that read them for the chosen word: gradient-weighted attention")
        if chosen:
            chart(
                layer_figure(
                    view.layer_shares_of_cells(list(chosen)),
                    view.is_global,
                    is_dark(),
                    measure="of what all layers read on these patches",
                ),
                key="patch_layers",
                alt="Bars: how much each layer read the chosen patches.",
            )


def _picture(
    study: Study, answer: Answer, view: LayerView, chosen: tuple[tuple[int, int], ...]
) -> None:
    radiograph = study.radiograph
    display = chosen_display()
    figure = relevance_figure(
        displayed_jpeg(study),
        radiograph.width,
        radiograph.height,
        answer.grid,
        view.gathered_map(0),
        zone_names=zone_names(zones_of(study, answer.grid)),
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        laterality=str(shown_laterality(radiograph)),
        selected_cells=chosen,
        mark_peak=False,
        boxes=True,
        revision=radiograph.sha256,
        dark=is_dark(),
    )
    # The container fills the box; a chart that can be selected in has none of its own.
    with film_box(FILM, radiograph.width, radiograph.height, tallest=TALLEST), st.container():
        chart(
            figure,
            key="patch_figure",
            on_select=_remember_box,
            height="stretch",
            alt="The radiograph with the chosen word's relevance; patches can be chosen.",
            tools=True,
        )
    patch_clicks(container=FILM, key=CLICKS, on_click=_remember_click)


def _remember_box() -> None:
    cells = chosen_cells(selection_of("patch_figure")["points"])
    if cells:
        page_state(LayersState).cells = cells


def _remember_click() -> None:
    """A click on the one chosen patch lets it go."""
    state, cell = page_state(LayersState), clicked_patch(CLICKS)
    if cell is not None:
        state.cells = () if state.cells == (cell,) else (cell,)
