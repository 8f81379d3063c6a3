"""Each step's own picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.core.numbers import share_percent
from medgemma_dash.figures import layer_figure, relevance_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.pages.steps.panels import film_panel, film_panels
from medgemma_dash.ui.pages.steps.state import GATHERED, HEAD, LAYER
from medgemma_dash.ui.pages.steps.token_pictures import (
    as_table,
    generation_bars,
    input_table,
    replay_bars,
    target_bars,
)
from medgemma_dash.ui.state.session import give_widget, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.services.pipeline.view import PipelineView
    from medgemma_dash.ui.state.study import Study

ATTENTION, ROW = 4, 5
TALLEST = "23.5rem"


def step_picture(study: Study, answer: Answer, view: PipelineView, step: int) -> None:
    """Draw the picture of step 0 to 6."""
    (
        lambda: input_table(answer),
        lambda: generation_bars(answer, view),
        lambda: replay_bars(answer, view),
        lambda: target_bars(answer, view),
        lambda: _attention(study, view),
        lambda: _row(study, view),
        lambda: _map(study, answer, view),
    )[step]()


def chosen_layer(view: PipelineView, step: int) -> int:
    """The layer that steps 4 and 5 look at; at first the strongest one, and the last to fold in."""
    key, first = (GATHERED, 0) if step == ROW else (LAYER, view.layers.strongest_layer)
    layer = int(widget_value(key, first))
    return layer if layer < len(view.layers.is_global) else first


def chosen_head(view: PipelineView, layer: int) -> int:
    """The head that step 4 looks at; at first the layer's strongest one."""
    head = int(widget_value(HEAD, view.strongest_head(layer)))
    return head if head < view.gradient.shape[1] else view.strongest_head(layer)


def _attention(study: Study, view: PipelineView) -> None:
    layers, heads = view.gradient.shape[:2]
    layer = chosen_layer(view, ATTENTION)
    head = chosen_head(view, layer)
    first, second = st.columns(2, gap="medium")
    give_widget(LAYER, layer)
    give_widget(HEAD, head)
    with first:
        st.select_slider(
            "Layer",
            list(range(layers)),
            key=LAYER,
            format_func=lambda one: f"{one}{' (global)' if view.layers.is_global[one] else ''}",
            persist_state="session",
        )
    with second:
        st.select_slider("Head", list(range(heads)), key=HEAD, persist_state="session")
    weighted = view.layers.weighted
    share = float(view.layers.weighted_shares[layer, head])
    panels = [
        film_panel(study, "A", view.head_row(view.layers.attention, layer, head)),
        film_panel(study, "∇A", view.head_row(view.gradient, layer, head), signed=True),
        film_panel(
            study,
            "(∇A · A)⁺",
            view.head_row(weighted, layer, head),
            caption=share_percent(share),
            empty="nothing left",
        ),
    ]
    film_panels(
        study,
        panels,
        key="steps_attention",
        alt=f"Three maps of layer {layer}, head {head}: attention, its gradient, and the positive "
        "part of their product.",
        panel_px=200,
    )


def _row(study: Study, view: PipelineView) -> None:
    layers = len(view.layers.is_global)
    layer = chosen_layer(view, ROW)
    give_widget(GATHERED, layer)
    st.select_slider(
        "Layers folded in, from the last down to",
        list(range(layers - 1, -1, -1)),
        key=GATHERED,
        persist_state="session",
    )
    panels = [
        film_panel(study, "Ā, row p-1", view.layers.head_map(layer, None, weighted=True)),
        film_panel(study, "added, r Ā", view.added_map(layer), empty="nothing"),
        film_panel(study, "r so far", view.layers.gathered_map(layer), empty="nothing yet"),
    ]
    film_panels(
        study,
        panels,
        key="steps_row",
        alt=f"Three maps of layer {layer}: its averaged weighted attention, what it added to the "
        "row, and the row so far.",
        panel_px=130,
    )
    shares = np.array(view.image_shares_after)
    st.caption(
        "Share of r on the image once each layer is folded in, from the right to the left; pale: "
        "not yet"
    )
    chart(
        layer_figure(
            shares,
            view.layers.is_global,
            is_dark(),
            measure="of r on the image",
            first=layer,
            height_px=84,
        ),
        key="steps_row_shares",
        alt="Bars: for each layer, how much of the row lies on the image once it is folded in.",
    )
    as_table(
        pd.DataFrame(
            {
                "layer": range(layers),
                "r on the image": shares,
                "brought to the image": [float(view.added_map(one).sum()) for one in range(layers)],
            }
        ),
        "steps_row_table",
    )


def _map(study: Study, answer: Answer, view: PipelineView) -> None:
    image_map = view.image_map if view.word is None else view.word.image
    radiograph, display = study.radiograph, chosen_display()
    figure = relevance_figure(
        displayed_jpeg(study),
        radiograph.width,
        radiograph.height,
        answer.grid,
        image_map,
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        laterality=str(shown_laterality(radiograph)),
        revision=radiograph.sha256,
        dark=is_dark(),
        picture_px=360,
    )
    what = "the token"
    if view.word is not None:
        what = f"all {len(view.word.target.token_indices)} tokens that are chosen"
        st.caption(f"Mean of the maps of {what}")
    with film_box("steps_map_film", radiograph.width, radiograph.height, tallest=TALLEST):
        chart(
            figure,
            key="steps_map",
            alt=f"The map of {what} over the picture.",
            tools=True,
            height="stretch",
        )
