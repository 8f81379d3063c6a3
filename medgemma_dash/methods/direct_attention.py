"""Direct attention: one position's attention, averaged over layers."""

from dataclasses import dataclass
from typing import Literal

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.attention_rows import existing, global_layers, weighted_attention
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import Option
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.methods.typed_numbers import Numbers

ROW = Option(
    "row",
    "Looking from",
    ("predicting", "own"),
    "The position before the word, where the word is decided (p-1), or the word's own position, "
    "where it has already been said and the next one is decided (p).",
)
LAYERS = Option(
    "layers",
    "Layers",
    ("all", "global", "last"),
    "The mean over all layers, over the global ones, which see the whole sequence, or the last "
    "layer alone. Or type layers of your own, counted from 0, such as 3,5-8.",
    numbers=Numbers("layers, counted from 0, such as 3,5-8", several=True),
)


@dataclass(frozen=True)
class DirectAttentionOptions:
    """From which position, and over which layers, by name or number."""

    row: Literal["predicting", "own"] = "predicting"
    layers: Literal["all", "global", "last"] | tuple[int, ...] = "all"


@dataclass(frozen=True)
class DirectAttention:
    """Row p-1 or p of the attention, mean over heads and layers."""

    spec = MethodSpec(
        name="direct_attention",
        title="Direct attention",
        card="How much the layers look at each place, on average: from the predicting position, "
        "where the word is decided, or from the word's own position, where it has been said and "
        "the model reads on. A calm overview of where a word looks. Distrust it as a reason: it "
        "does not know whether what was seen spoke for the word, and it leaves out what came by "
        "way of other words.",
        formula=r"r = \frac{1}{|\mathcal{L}|}\sum_{l \in \mathcal{L}}"
        r"\frac{1}{H}\sum_h A_{l,h}[q,\,\cdot\,],\quad q = p-1 \ \mathrm{or}\ p",
        source="MedGemma Explainer tutorial; attention is Vaswani et al., NeurIPS 2017, "
        "equation 1, https://arxiv.org/abs/1706.03762",
        cost="0",
        needs="the decoder's attention",
        family="attention",
        signed=False,
        contrastive=False,
        options=(ROW, LAYERS),
        options_type=DirectAttentionOptions,
    )

    def rows(self, call: Call[DirectAttentionOptions]) -> Relevance:
        """See `Method.rows`."""
        own = int(call.options.row == "own")
        layers = _layers(call)
        weights = dict.fromkeys(layers, 1 / len(layers))
        looking = [place + own for place in call.predicting]
        return call.relevance(weighted_attention(call, weights, looking))


def _layers(call: Call[DirectAttentionOptions]) -> list[int]:
    count, choice = len(call.model.layout.layers), call.options.layers
    if isinstance(choice, tuple):
        existing(choice[-1], count, "layer")
        return list(choice)
    if choice == "global":
        return global_layers(call.model)
    return list(range(count)) if choice == "all" else [count - 1]


METHOD = DirectAttention()
