"""Raw attention: what one layer's predicting position looks at."""

from collections.abc import Sequence
from dataclasses import dataclass

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.attention_rows import (
    before_prediction,
    existing,
    global_layers,
    predicting_rows,
    weighted_attention,
)
from medgemma_dash.methods.specification import Control, MethodSpec, Rows
from medgemma_dash.methods.typed_numbers import Numbers
from medgemma_dash.models.replay import Replay

LAYER = Control(
    "layer",
    "Layer",
    ("last", "last global", "middle", "first"),
    "The decoder layer whose attention is shown. Global layers see the whole sequence, the others "
    "a sliding window; the middle one is layer L // 2, counted from 0. Or type a layer's number.",
    Numbers("a layer's number, counted from 0"),
)
HEADS = Control(
    "heads",
    "Heads",
    ("mean", "max"),
    "The mean over the layer's heads, or for every position the head that looks there most. Or "
    "type a head's number, counted from 0, to see it alone.",
    Numbers("a head's number, counted from 0"),
)


@dataclass(frozen=True)
class RawAttention:
    """Row p-1 of one layer's attention, of all its heads or of one."""

    spec = MethodSpec(
        name="raw_attention",
        title="Raw attention",
        card="Where one layer looks at the moment it predicts the word. Quick, and useful to see "
        "what a single layer does. Distrust it as a reason for the word: looking is not using, "
        "the last layer sees mixtures of many places rather than the places themselves, and a few "
        "cells often draw attention for every word.",
        formula=r"r = \frac{1}{H}\sum_h A_{l,h}[p-1,\,\cdot\,]",
        source="MedGemma Explainer tutorial; attention is Vaswani et al., NeurIPS 2017, "
        "equation 1, https://arxiv.org/abs/1706.03762",
        cost="0",
        needs="the decoder's attention",
        family="attention",
        signed=False,
        contrastive=False,
        controls=(LAYER, HEADS),
    )

    def rows(
        self,
        replay: Replay,
        answer: Answer,
        targets: Sequence[Target],
        settings: tuple[tuple[str, str], ...],
        check: Check | None = None,
    ) -> Rows:
        """See `Method.rows`."""
        chosen = dict(settings)
        predicting = predicting_rows(answer, targets)
        layer = _layer(replay, chosen["layer"])
        heads = _heads(replay, chosen["heads"])
        relevance = weighted_attention(replay, {layer: 1.0}, predicting, heads=heads, check=check)
        return before_prediction(relevance, predicting)


def _layer(replay: Replay, choice: str) -> int:
    count = len(replay.model.layout.layers)
    if choice == "last global":
        return global_layers(replay)[-1]
    if (typed := LAYER.typed(choice)) is not None:
        return existing(typed, count, "layer")[0]
    return {"last": count - 1, "middle": count // 2, "first": 0}[choice]


def _heads(replay: Replay, choice: str) -> str | int:
    typed = HEADS.typed(choice)
    if typed is None:
        return choice
    count = int(replay.model.hf_model.config.text_config.num_attention_heads)
    return existing(typed, count, "head")[0]


METHOD = RawAttention()
