"""The sequence of an answer as a strip, underlined by what the step is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from medgemma_dash.core.numbers import equals, share_percent
from medgemma_dash.ui.components.sequence_strip import Place, sequence_strip
from medgemma_dash.ui.components.wording import probability

if TYPE_CHECKING:
    import numpy.typing as npt

    from medgemma_dash.core.answer import Answer
    from medgemma_dash.services.pipeline.view import PipelineView

GENERATION, TARGET, ATTENTION = 1, 3, 4


def sequence_of(answer: Answer, view: PipelineView, step: int) -> None:
    """Every token with its position, images folded, p-1 and p marked.

    From the attention on, underlined by where the relevance of r lies; while it generates, by
    probability. At the target, the place that is differentiated by mistake is marked too.
    """
    shares = _shares(view)
    marks = {view.position - 1: "p-1", view.position: "p"}
    wrong = view.mistake("last_position").read_row if step == TARGET else None
    images = {start: (number, stop) for number, (start, stop) in enumerate(answer.image_spans, 1)}
    places, position = [], 0
    while position < len(answer.input_ids):
        if position in images:
            number, stop = images[position]
            name = "image" if len(images) == 1 else f"image {number}"
            share = float(shares[position:stop].sum())
            places.append(
                Place(
                    position,
                    stop,
                    f"{name} · {stop - position} tokens",
                    "image",
                    value=share if step >= ATTENTION else 0.0,
                    told=f"{share_percent(share)} of r" if step >= ATTENTION else "",
                )
            )
            position = stop
            continue
        said = position - answer.prompt_length
        value, told = 0.0, f"id {answer.input_ids[position]}"
        if step >= ATTENTION:
            value = float(shares[position])
            told = f"{share_percent(value)} of r"
        elif step == GENERATION and said >= 0:
            value = answer.tokens[said].probability
            told = f"p {equals(probability(value))}"
        places.append(
            Place(
                position,
                position + 1,
                answer.piece_texts[position],
                "answer" if said >= 0 else "prompt",
                marks.get(position, ""),
                value,
                told,
                wrong="last" if position == wrong else "",
            )
        )
        position += 1
    sequence_strip(places, key="sequence", label="The sequence, position by position")


def _shares(view: PipelineView) -> npt.NDArray[np.float64]:
    """(S,): each position's share of r."""
    row = view.row.astype(np.float64)
    shares: npt.NDArray[np.float64] = row / (row.sum() or 1.0)
    return shares
