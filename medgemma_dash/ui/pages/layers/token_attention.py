"""Attention of any token of the sequence to any other, prompt words included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import streamlit as st

from medgemma_dash.core.answer import Answer
from medgemma_dash.figures import MapPanel, WordRelevance, comparison_figure, prompt_words_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.services.explaining.headline import percent
from medgemma_dash.services.layers.tasks import attention_task
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.one_of import one_of
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.pages.layers.state import ATTENTION_LAYER, HEAD_LAYER, LayersState
from medgemma_dash.ui.pages.layers.token_names import token_names
from medgemma_dash.ui.state.session import COLOUR_SCALE, give_widget, page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.target import Target
    from medgemma_dash.services.layers.view import LayerView
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Study

MOST_WORDS = 12
ALL_HEADS = "mean of heads"
FROM_WORD, FROM_PATCH = "a word", "an image patch"
SAID, READ = "when it was said", "once it was read"


def token_attention(
    host: ModelHost, study: Study, answer: Answer, target: Target, view: LayerView
) -> None:
    """Choose a token, a layer and a head; see what it attends to."""
    with st.container(key="attention_columns"):
        choice, picture, words = st.columns([22, 34, 44], gap="medium")
    with choice:
        names = token_names(answer.piece_texts, answer.prompt_length)
        position = _source(study, answer, target, view, names)
        attention = _attention(host, answer, position)
        if attention is None:
            return
        layers, heads = attention.shape[:2]
        layer = int(widget_value(ATTENTION_LAYER, widget_value(HEAD_LAYER, 0)))
        give_widget(ATTENTION_LAYER, min(layer, layers - 1))
        layer = st.selectbox(
            "Layer", list(range(layers)), key=ATTENTION_LAYER, persist_state="session"
        )
        head = st.selectbox(
            "Head", [ALL_HEADS, *range(heads)], key="attention_head", persist_state="session"
        )
    rows = attention[layer]
    row = rows.mean(0) if head == ALL_HEADS else rows[head]
    start, stop = answer.image_span
    with picture:
        st.caption(f"{percent(float(row[start:stop].sum()))} of it goes to the image")
        _picture(study, answer, row[start:stop].reshape(answer.grid), position)
    with words:
        st.caption("The tokens that get most of the rest")
        chart(
            prompt_words_figure(_attended(answer, row, names), is_dark()),
            key="attention_words",
            alt="Bars: the words that the token attends to most.",
        )


def _source(
    study: Study, answer: Answer, target: Target, view: LayerView, names: tuple[str, ...]
) -> int:
    """The position whose attention is shown: of a word, or of a patch of the image."""
    if one_of("From", [FROM_WORD, FROM_PATCH], "attention_source") == FROM_PATCH:
        return _patch(study, answer, view)
    places = [place for place, name in enumerate(names) if name]
    chosen = answer.tokens[target.token_indices[0]].position
    place = int(
        st.selectbox(
            "Token",
            places,
            index=places.index(chosen) if chosen in places else 0,
            format_func=lambda place: _label(answer, place, names),
            key=f"attention_from_{study.number}_{study.revision}_{chosen}",
        )
    )
    if place < answer.prompt_length:
        line = [
            Segment(names[place], "word"),
            Segment(" was given and not chosen: this is where the model looked on reading it."),
        ]
        rich_line([line], key="attention_why", tone="quiet")
        return place
    said = one_of("Attention", [SAID, READ], "attention_when") == SAID
    rich_line([_why(names, place, said=said)], key="attention_why", tone="quiet")
    return place - 1 if said else place


def _patch(study: Study, answer: Answer, view: LayerView) -> int:
    rows, cols = answer.grid
    # Where the word's relevance is highest, until the reader says otherwise.
    peak = divmod(int(np.argmax(view.gathered_map(0))), cols)
    row, col = (
        st.number_input(
            name.capitalize(),
            min_value=0,
            max_value=size - 1,
            value=at,
            key=f"attention_{name}_{study.number}_{rows}_{cols}",
        )
        for name, size, at in (("row", rows, peak[0]), ("column", cols, peak[1]))
    )
    return answer.image_span[0] + int(row) * cols + int(col)


def _why(names: tuple[str, ...], place: int, *, said: bool) -> list[Segment]:
    """Which row of attention is shown, and why that one."""
    word = Segment(names[place] or "this token", "word")
    if said:
        before = Segment(names[place - 1] or "the end of the prompt", "word")
        return [
            Segment("The model chose "),
            word,
            Segment(" at the token before it, "),
            before,
            Segment(": this is where it looked from there."),
        ]
    return [
        Segment("This is where the model looked from "),
        word,
        Segment(" itself, on the way to what comes after it."),
    ]


def _attended(
    answer: Answer, row: npt.NDArray[np.float32], names: tuple[str, ...]
) -> list[WordRelevance]:
    """The words that get most, and nothing that comes later than the token."""
    order = [int(i) for i in np.argsort(-row, kind="stable") if names[i] and row[i]]
    return [
        WordRelevance(
            names[place],
            float(row[place]),
            "answer" if place >= answer.prompt_length else "question",
        )
        for place in order[:MOST_WORDS]
    ]


def _label(answer: Answer, place: int, names: tuple[str, ...]) -> str:
    part = "answer" if place >= answer.prompt_length else "prompt"
    return f"{names[place]}  ({part}, {place})"


def _attention(host: ModelHost, answer: Answer, position: int) -> npt.NDArray[np.float32] | None:
    """The position's attention in every layer and head: known, just read, or on its way."""
    state, wanted = page_state(LayersState), (answer.key, position)
    if state.attention is None or state.attention[0] != wanted:
        found = result_of(
            host,
            attention_task(answer, position),
            wanted,
            again="read it again",
            problem="attention_problem",
        )
        if found is None:
            return None
        state.attention = wanted, found
    return state.attention[1]


def _picture(
    study: Study, answer: Answer, image_map: npt.NDArray[np.float32], position: int
) -> None:
    """The map, with the patch framed whose attention it is."""
    place = position - answer.image_span[0]
    inside = 0 <= place < image_map.size
    display = chosen_display()
    panel = MapPanel(
        title="",
        radiograph_jpeg=displayed_jpeg(study, 420),
        width=study.radiograph.width,
        height=study.radiograph.height,
        grid=answer.grid,
        image_map=image_map,
        laterality=str(shown_laterality(study.radiograph)),
    )
    figure = comparison_figure(
        [panel],
        selected_cells=[divmod(place, answer.grid[1])] if inside else [],
        mode=display.mode,
        opacity=display.opacity,
        colour_scale=widget_value(COLOUR_SCALE, "Inferno"),
        revision=study.radiograph.sha256,
        dark=is_dark(),
        panel_px=330,
    )
    chart(figure, key="attention_map", alt="Attention of the token to the image.", tools=True)
