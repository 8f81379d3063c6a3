"""The Layers page: which layers and heads looked at the image, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.figures import head_figure, layer_figure
from medgemma_dash.ui.components.chart import chart, clicked_cells
from medgemma_dash.ui.components.job_watch import POLL_SECONDS, line_with_cancel
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.trying_again import problem_line, was_left
from medgemma_dash.ui.components.word_choice import answered_study, word_choice
from medgemma_dash.ui.pages.layers.head_maps import gathered_maps, head_maps
from medgemma_dash.ui.pages.layers.patch_words import patch_words
from medgemma_dash.ui.pages.layers.token_attention import token_attention
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.session import Session, Study, current_session, widget_value

if TYPE_CHECKING:
    from medgemma_dash.services.layers.view import LayerView
    from medgemma_dash.services.runtime.host import ModelHost

MEASURES = {
    "gradient-weighted": "of the attention that moved the logit",
    "attention": "of its attention on the image",
}
NAMED_LAYERS = 5
PATIENCE_SECONDS = 0.6


def layers_page(host: ModelHost) -> None:
    """Draw the page for the word that is chosen."""
    study = answered_study(host)
    if study is None:
        return
    word_choice(study, "layers_strip")
    session = current_session()
    view = _view(session, host, study)
    if view is None:
        if session.looking is not None and not session.looking.finished:
            _progress()
        return
    st.session_state.setdefault(keys.HEAD_LAYER, strongest_layer(view))
    with st.container(key="layers_columns"):
        left, right = st.columns([42, 58], gap="medium")
    with left:
        _overview(view)
    with right:
        head_maps(study, view)
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
            token_attention(host, study, view)
    if patches.open:
        with patches:
            patch_words(host, study, view)
    st.caption(RESEARCH_NOTICE)


def strongest_layer(view: LayerView) -> int:
    """The layer whose heads moved the logit most by what they read from the image."""
    return int(np.argmax(view.weighted_shares.sum(1)))


def _view(session: Session, host: ModelHost, study: Study) -> LayerView | None:
    """The chosen word's view: known, just computed, or on its way."""
    assert study.answer is not None and study.target is not None  # noqa: S101, PT018  answered
    wanted = (study.answer.key, study.target.token_indices, study.target.against)
    view = study.view
    if view is not None and (
        (view.answer_key, view.target.token_indices, view.target.against) == wanted
    ):
        return view
    job = session.looking
    if job is None or session.looking_at != wanted or was_left(job):
        job = session.looking = host.layers_job(session.owner, study.answer, study.target)
        session.looking_at = wanted
        job.wait(PATIENCE_SECONDS)
    if job.result is not None:
        session.looking, study.view = None, job.result
    elif job.finished:
        problem_line(str(job.error), "look again", _look_again, key="layers_error")
    return job.result


def _look_again() -> None:
    current_session().looking = None


@st.fragment(run_every=POLL_SECONDS)
def _progress() -> None:
    job = current_session().looking
    if job is None or job.finished:
        st.rerun()
    job.heartbeat()
    line_with_cancel(job, "cancel_layers")


def _overview(view: LayerView) -> None:
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
        list(MEASURES),
        default="gradient-weighted",
        required=True,
        key=keys.HEAD_MEASURE,
        persist_state="session",
        help="Gradient-weighted: attention times its gradient, negative parts cut off; what "
        "Chefer's relevance is made of. Click a cell to see that layer's heads.",
    )
    values = view.weighted_shares if measure == "gradient-weighted" else view.image_shares
    layer = int(widget_value(keys.HEAD_LAYER, 0))
    best = int(np.argmax(values[min(layer, len(values) - 1)]))
    chart(
        head_figure(
            values, view.is_global, MEASURES[measure], selected=(layer, best), dark=is_dark()
        ),
        key="head_matrix",
        on_select=_remember_layer,
        selection_mode="points",
        alt="A matrix of layers and heads; the brighter, the more they looked at the image.",
    )


def _remember_layer() -> None:
    cells = clicked_cells("head_matrix")
    if cells:
        st.session_state[keys.HEAD_LAYER] = cells[0][0]
