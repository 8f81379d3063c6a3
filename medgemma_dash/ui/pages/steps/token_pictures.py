"""The pictures of the first four steps: the sequence, and numbers of its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.core.numbers import number
from medgemma_dash.core.token_words import readable, token_name
from medgemma_dash.figures import token_bars_figure
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import probability

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.services.pipeline.view import PipelineView

# Of a long answer those around the chosen token.
TOKENS_SHOWN = 12
TABLE_PX = 330


def input_table(answer: Answer) -> None:
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


def generation_bars(answer: Answer, view: PipelineView) -> None:
    """How probable each token was, and is when image tokens are made causal."""
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
    as_table(
        pd.DataFrame(
            {
                "token": _names(answer, shown),
                "probability": given,
                "image tokens causal": given if marks is None else marks,
            }
        ),
        "steps_generation_table",
    )


def replay_bars(answer: Answer, view: PipelineView) -> None:
    """How far the logits move when image tokens are made causal."""
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
    as_table(
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


def target_bars(answer: Answer, view: PipelineView) -> None:
    """The largest logits at p-1, the token's own first."""
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
    as_table(pd.DataFrame({"token": names, "logit": logits}), "steps_target_table")


def as_table(frame: pd.DataFrame, key: str) -> None:
    """A chart's numbers, behind a quiet button below it."""
    with st.popover("as a table", key=f"{key}_menu", type="tertiary"), st.container(key=key):
        st.dataframe(frame, hide_index=True, width="stretch")


def _seen(text: str) -> str:
    """White space with its marks: a line break, and the space that a token begins with."""
    text = text.replace("\n", "⏎").replace("\t", "⇥")
    return f"␣{text[1:]}" if text.startswith(" ") else text


def _around(view: PipelineView, count: int) -> range:
    first = max(0, min(view.token - TOKENS_SHOWN // 2, count - TOKENS_SHOWN))
    return range(first, min(count, first + TOKENS_SHOWN))


def _names(answer: Answer, shown: range) -> list[str]:
    return [f"{answer.tokens[place].position}  {token_name(answer, place)}" for place in shown]
