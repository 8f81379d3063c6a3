"""Each step's own picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.core.numbers import number, share_percent
from medgemma_dash.core.token_words import readable, token_name
from medgemma_dash.figures import layer_figure, relevance_figure, token_bars_figure
from medgemma_dash.regions import shown_laterality
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import probability
from medgemma_dash.ui.pages.steps.panels import film_panel, film_panels
from medgemma_dash.ui.pages.steps.state import GATHERED, HEAD, LAYER
from medgemma_dash.ui.state.session import give_widget, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.services.pipeline.view import PipelineView
    from medgemma_dash.ui.state.study import Study

# Of a long answer those around the chosen token.
TOKENS_SHOWN = 12
TABLE_PX = 330
ATTENTION, ROW = 4, 5
TALLEST = "23.5rem"


def step_picture(study: Study, answer: Answer, view: PipelineView, step: int) -> None:
    """Draw the picture of step 0 to 6."""
    (
        lambda: _input(answer),
        lambda: _generation(answer, view),
        lambda: _replay(answer, view),
        lambda: _target(answer, view),
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


def _input(answer: Answer) -> None:
    """A line for every position, an image's in one."""
    images = dict(answer.image_spans)
    rows, position = [], 0
    while position < len(answer.input_ids):
        stop = images.get(position, position + 1)
        text = _seen(answer.piece_texts[position]) or f"{stop - position} soft tokens"
        part = "answer" if position >= answer.prompt_length else "prompt"
        rows.append(
            {
                "position": str(position) if stop == position + 1 else f"{position} to {stop - 1}",
                "token": text,
                "id": int(answer.input_ids[position]),
                "part": "image" if position in images else part,
            }
        )
        position = stop
    with st.container(key="steps_input"):
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            width="stretch",
            height=TABLE_PX,
            column_config={
                "position": st.column_config.TextColumn(help="Place in the sequence, from 0."),
                "token": st.column_config.TextColumn(help="As the tokenizer writes it."),
                "id": st.column_config.NumberColumn(
                    help="In the model's vocabulary; of an image the soft tokens' own."
                ),
                "part": st.column_config.TextColumn(
                    help="Given as prompt or image, or said by the model."
                ),
            },
        )


def _seen(text: str) -> str:
    """White space with its marks: a line break, and the space that a token begins with."""
    text = text.replace("\n", "⏎").replace("\t", "⇥")
    return f"␣{text[1:]}" if text.startswith(" ") else text


def _around(view: PipelineView, count: int) -> range:
    first = max(0, min(view.token - TOKENS_SHOWN // 2, count - TOKENS_SHOWN))
    return range(first, min(count, first + TOKENS_SHOWN))


def _names(answer: Answer, shown: range) -> list[str]:
    return [f"{answer.tokens[place].position}  {token_name(answer, place)}" for place in shown]


def _generation(answer: Answer, view: PipelineView) -> None:
    shown = _around(view, len(answer.tokens))
    given = [answer.tokens[place].probability for place in shown]
    replayed = view.mistake("causal_images").replayed
    marks = None if replayed is None else [float(replayed.probabilities[one]) for one in shown]
    st.caption("Probability of each token as it was said; stroke: with image tokens made causal")
    figure = token_bars_figure(
        _names(answer, shown),
        given,
        [probability(one) for one in given],
        measure="probability",
        chosen=shown.index(view.token),
        marks=marks,
        marks_are="with image tokens made causal",
        reach=(0.0, 1.0),
        dark=is_dark(),
    )
    chart(
        figure,
        key="steps_generation",
        alt="Bars: the probability of each token of the answer; beside each what it is when image "
        "tokens are made causal.",
    )
    _as_table(
        pd.DataFrame(
            {
                "token": _names(answer, shown),
                "probability": given,
                "image tokens causal": given if marks is None else marks,
            }
        ),
        "steps_generation_table",
    )


def _replay(answer: Answer, view: PipelineView) -> None:
    shown = _around(view, len(answer.tokens))
    wrong = view.mistake("causal_images").replayed
    if wrong is None:
        return
    differences = [float(wrong.differences[one]) for one in shown]
    least = answer.fidelity.max_logit_difference
    within = (
        "" if least is None else f"; of the right replay from generation, at most {number(least)}"
    )
    st.caption(
        f"Largest difference of a logit, image tokens made causal, from the right replay{within}"
    )
    figure = token_bars_figure(
        _names(answer, shown),
        differences,
        [number(one) for one in differences],
        measure="largest difference of a logit",
        chosen=shown.index(view.token),
        dark=is_dark(),
    )
    chart(
        figure,
        key="steps_replay",
        alt="Bars: for each token of the answer, how far the logits move when image tokens are "
        "made causal.",
    )
    _as_table(
        pd.DataFrame(
            {
                "token": _names(answer, shown),
                "largest difference": differences,
                "would say": [
                    readable(wrong.instead[one]) if wrong.instead[one] else "the same"
                    for one in shown
                ],
            }
        ),
        "steps_replay_table",
    )


def _target(answer: Answer, view: PipelineView) -> None:
    names = [readable(one.text, in_prompt=True) for one in view.candidates]
    logits = [one.logit for one in view.candidates]
    st.caption(f"The largest logits at p-1 = {view.position - 1}, the token's own first")
    figure = token_bars_figure(
        names,
        logits,
        [number(one) for one in logits],
        measure="logit",
        chosen=0,
        dark=is_dark(),
    )
    chart(
        figure,
        key="steps_target",
        alt="Bars: the largest logits where the token was chosen, its own first.",
    )
    _as_table(pd.DataFrame({"token": names, "logit": logits}), "steps_target_table")


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
        film_panel(study, "dA", view.head_row(view.gradient, layer, head), signed=True),
        film_panel(
            study,
            "(dA · A)⁺",
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
    st.caption("Share of r on the image once each layer is folded in; the last layer comes first")
    chart(
        layer_figure(
            shares,
            view.layers.is_global,
            is_dark(),
            measure="of r on the image",
            height_px=84,
        ),
        key="steps_row_shares",
        alt="Bars: for each layer, how much of the row lies on the image once it is folded in.",
    )
    _as_table(
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


def _as_table(frame: pd.DataFrame, key: str) -> None:
    with st.popover("as a table", key=f"{key}_menu", type="tertiary"), st.container(key=key):
        st.dataframe(frame, hide_index=True, width="stretch")
