"""Raw attention: what one layer's predicting position looks at."""

from dataclasses import dataclass
from typing import Literal

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.attention_rows import existing, global_layers, weighted_attention
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import Option
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.methods.typed_numbers import Numbers

LAYER = Option(
    "layer",
    "Layer",
    ("last", "last global", "middle", "first"),
    "The decoder layer whose attention is shown. Global layers see the whole sequence, the others "
    "a sliding window; the middle one is layer L // 2, counted from 0. Or type a layer's number.",
    numbers=Numbers("a layer's number, counted from 0"),
)
HEADS = Option(
    "heads",
    "Heads",
    ("mean", "max"),
    "The mean over the layer's heads, or for every position the head that looks there most. Or "
    "type a head's number, counted from 0, to see it alone.",
    numbers=Numbers("a head's number, counted from 0"),
)


@dataclass(frozen=True)
class RawAttentionOptions:
    """Which layer, by name or number, and its heads together or one of them."""

    layer: Literal["last", "last global", "middle", "first"] | int = "last"
    heads: Literal["mean", "max"] | int = "mean"


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
        options=(LAYER, HEADS),
        options_type=RawAttentionOptions,
    )

    def rows(self, call: Call[RawAttentionOptions]) -> Relevance:
        """See `Method.rows`."""
        layer, heads = _layer(call), call.options.heads
        if isinstance(heads, int):
            heads = existing(heads, call.model.layout.query_heads, "head")
        return call.relevance(weighted_attention(call, {layer: 1.0}, call.predicting, heads=heads))


def _layer(call: Call[RawAttentionOptions]) -> int:
    count, choice = len(call.model.layout.layers), call.options.layer
    if choice == "last global":
        return global_layers(call.model)[-1]
    if isinstance(choice, int):
        return existing(choice, count, "layer")
    return {"last": count - 1, "middle": count // 2, "first": 0}[choice]


METHOD = RawAttention()
