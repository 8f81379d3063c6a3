"""Attention of any token of the sequence to any other, prompt words included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from medgemma_dash.core.answer import Answer
from medgemma_dash.figures import MapPanel, WordRelevance, comparison_figure, prompt_words_figure
from medgemma_dash.ui import session as keys
from medgemma_dash.ui.chart import chart
from medgemma_dash.ui.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.rich_line import Segment, rich_line
from medgemma_dash.ui.session import Study, current_session, widget_value
from medgemma_dash.ui.theme import is_dark
from medgemma_dash.ui.wording import percent, quoted

if TYPE_CHECKING:
    from medgemma_dash.services.model_host import ModelHost

MOST_WORDS = 12
PATIENCE_SECONDS = 5.0
ALL_HEADS = "mean of heads"


def token_attention(host: ModelHost, study: Study) -> None:
    """Choose a token, a layer and a head; see what it attends to."""
    answer = study.answer
    assert answer is not None and study.target is not None  # noqa: S101, PT018  answered
    places = [place for place, text in enumerate(answer.piece_texts) if text]
    predicting = answer.tokens[study.target.token_indices[0]].position - 1
    choice, picture, words = st.columns([22, 34, 44], gap="medium")
    with choice:
        position = st.selectbox(
            "From the token",
            places,
            index=places.index(predicting) if predicting in places else 0,
            format_func=lambda place: _label(answer, place),
            key=f"attention_from_{study.number}_{study.revision}_{predicting}",
            help="The token before a word is the one that predicts it.",
        )
        attention = _attention(host, study, answer, position)
        if attention is None:
            return
        layers, heads = attention.shape[:2]
        st.session_state.setdefault(keys.ATTENTION_LAYER, widget_value(keys.HEAD_LAYER, 0))
        layer = st.selectbox(
            "Layer", list(range(layers)), key=keys.ATTENTION_LAYER, persist_state="session"
        )
        head = st.selectbox(
            "Head", [ALL_HEADS, *range(heads)], key="attention_head", persist_state="session"
        )
    rows = attention[layer]
    row = rows.mean(0) if head == ALL_HEADS else rows[head]
    start, stop = answer.image_span
    with picture:
        st.caption(f"{percent(float(row[start:stop].sum()))} of it goes to the image")
        _picture(study, answer, row[start:stop].reshape(answer.grid))
    with words:
        st.caption("The words that get most of the rest")
        order = [int(i) for i in np.argsort(-row, kind="stable") if answer.piece_texts[i]]
        parts = [
            WordRelevance(
                quoted(answer.piece_texts[place]),
                float(row[place]),
                "answer" if place >= answer.prompt_length else "question",
            )
            for place in order[:MOST_WORDS]
        ]
        chart(
            prompt_words_figure(parts, is_dark()),
            key="attention_words",
            alt="Bars: the words that the token attends to most.",
        )


def _label(answer: Answer, place: int) -> str:
    part = "answer" if place >= answer.prompt_length else "prompt"
    return f"{quoted(answer.piece_texts[place])}  ({part}, {place})"


def _attention(
    host: ModelHost, study: Study, answer: Answer, position: int
) -> npt.NDArray[np.float32] | None:
    """The position's attention in every layer and head, asked for once."""
    known = study.attention
    if known is not None and known[0] == (answer.key, position):
        return known[1]
    job = host.attention_job(current_session().owner, answer, position)
    with st.spinner("Reading attention"):
        job.wait(PATIENCE_SECONDS)
    if job.result is None:
        reason = str(job.error) if job.error else "The model is busy; choose the token again."
        rich_line([[Segment(reason)]], key="attention_problem", tone="caution")
        return None
    study.attention = (answer.key, position), job.result
    return job.result


def _picture(study: Study, answer: Answer, image_map: npt.NDArray[np.float32]) -> None:
    display = chosen_display()
    panel = MapPanel(
        title="",
        radiograph_jpeg=displayed_jpeg(study, 420),
        width=study.radiograph.width,
        height=study.radiograph.height,
        grid=answer.grid,
        image_map=image_map,
        laterality=str(study.radiograph.laterality),
    )
    figure = comparison_figure(
        [panel],
        mode=display.mode,
        opacity=display.opacity,
        colour_scale=widget_value(keys.COLOUR_SCALE, "Inferno"),
        revision=study.radiograph.sha256,
        dark=is_dark(),
        panel_px=330,
    )
    chart(figure, key="attention_map", alt="Attention of the token to the image.", tools=True)
