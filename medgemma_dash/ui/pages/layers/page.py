"""The Layers page: which layers and heads looked at the image, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.figures import head_figure, layer_figure
from medgemma_dash.figures.heads import CELL_PX
from medgemma_dash.services.layers.tasks import layers_task
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.matrix_clicks import matrix_clicks
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.components.word_choice import answered_study, word_choice
from medgemma_dash.ui.pages.layers.head_maps import gathered_maps, head_maps
from medgemma_dash.ui.pages.layers.patch_words import patch_words
from medgemma_dash.ui.pages.layers.state import HEAD_MEASURE, LayersState
from medgemma_dash.ui.pages.layers.token_attention import token_attention
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.target import Target
    from medgemma_dash.services.layers.view import LayerView
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.components.window_width import WindowWidth

HEAD_MEASURES = {
    "gradient-weighted": "of the attention that moved the logit",
    "attention": "of its attention on the image",
}
NAMED_LAYERS = 5
MATRIX = "head_matrix"
# Beside the heads' maps the matrix is as high as leaves nothing empty below it.
MATRIX_PX: dict[WindowWidth, int] = {"wide": 288, "medium": 200, "narrow": 200}


def layers_page(host: ModelHost) -> None:
    """Draw the page for the word that is chosen."""
    opened = answered_study(host, "attention of each layer and head")
    if opened is None:
        return
    study, answered, target = opened
    word_choice(study, answered, "layers_strip")
    view = _view(host, answered.answer, target)
    if view is None:
        return
    layer = _layer(view)
    part_heading("Layers and heads", "heads")
    with st.container(key="layers_columns"):
        left, right = st.columns([42, 58], gap="medium")
    with left:
        _overview(view, layer)
    with right:
        head_maps(study, view, layer)
    part_heading("Relevance, attention and patches", "views")
    through, tokens, patches = st.tabs(
        ["Relevance, layer by layer", "Attention of any token", "Patch to words"],
        key="layers_tabs",
        on_change="rerun",
    )
    if through.open:
        with through:
            gathered_maps(study, view)
    if tokens.open:
        with tokens:
            token_attention(host, study, answered.answer, target, view)
    if patches.open:
        with patches:
            patch_words(host, study, answered, view)
    st.caption(RESEARCH_NOTICE)


def _view(host: ModelHost, answer: Answer, target: Target) -> LayerView | None:
    """The chosen word's view: known, just computed, or on its way."""
    state = page_state(LayersState)
    wanted = answer.key, target.token_indices, target.against
    if state.view is None or state.view[0] != wanted:
        found = result_of(
            host, layers_task(answer, target), wanted, again="look again", problem="layers_error"
        )
        if found is None:
            return None
        state.view = wanted, found
    return state.view[1]


def _layer(view: LayerView) -> int:
    """The layer that the page shows: the chosen one, or the strongest."""
    state, layers = page_state(LayersState), len(view.is_global)
    if state.layer is None or state.layer >= layers:
        state.layer, state.head = view.strongest_layer, None
    return state.layer


def _overview(view: LayerView, layer: int) -> None:
    shares = view.image_shares.mean(1)
    highest = np.argsort(-shares, kind="stable")[:NAMED_LAYERS].tolist()
    first, *others = highest
    then = f", then {', '.join(map(str, others))}" if others else ""
    st.caption(
        f"Attention to the image, mean of heads; highest in layer {first} ({shares[first]:.0%})"
        f"{then}"
    )
    chart(
        layer_figure(shares, view.is_global, is_dark(), named=NAMED_LAYERS, height_px=170),
        key="layers_bars",
        alt="Bars: for each decoder layer, the share of attention that goes to the image.",
    )
    measure = st.segmented_control(
        "What the matrix shows",
        list(HEAD_MEASURES),
        default="gradient-weighted",
        required=True,
        key=HEAD_MEASURE,
        persist_state="session",
        help="Gradient-weighted: attention times its gradient, negative parts cut off; what "
        "Chefer's relevance is made of. Click a cell to see that layer's heads.",
    )
    values = view.weighted_shares if measure == "gradient-weighted" else view.image_shares
    head, heads = page_state(LayersState).head, values.shape[1]
    # A layer that the slider chose has its strongest head framed.
    if head is None or head >= heads:
        head = int(np.argmax(values[layer]))
    chart(
        head_figure(
            values,
            view.is_global,
            HEAD_MEASURES[measure],
            selected=(layer, head),
            dark=is_dark(),
            cell_px=max(CELL_PX, MATRIX_PX[window_width()] // heads),
        ),
        key=MATRIX,
        alt="A matrix of layers and heads; the brighter, the more they looked at the image.",
    )
    matrix_clicks(
        container=MATRIX, columns=len(values), rows=heads, key="head_clicks", on_click=_choose_head
    )


def _choose_head(cell: tuple[int, int]) -> None:
    state = page_state(LayersState)
    state.layer, state.head = cell
    state.slider += 1
