"""Direct attention: one position's attention, averaged over layers."""

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

ROW = Control(
    "row",
    "Looking from",
    ("predicting", "own"),
    "The position before the word, where the word is decided (p-1), or the word's own position, "
    "where it has already been said and the next one is decided (p).",
)
LAYERS = Control(
    "layers",
    "Layers",
    ("all", "global", "last"),
    "The mean over all layers, over the global ones, which see the whole sequence, or the last "
    "layer alone. Or type layers of your own, counted from 0, such as 3,5-8.",
    Numbers("layers, counted from 0, such as 3,5-8", several=True),
)


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
        controls=(ROW, LAYERS),
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
        looking = [place + 1 for place in predicting] if chosen["row"] == "own" else predicting
        layers = _layers(replay, chosen["layers"])
        weights = dict.fromkeys(layers, 1 / len(layers))
        relevance = weighted_attention(replay, weights, looking, check=check)
        return before_prediction(relevance, predicting)


def _layers(replay: Replay, choice: str) -> list[int]:
    if choice == "global":
        return global_layers(replay)
    every = list(range(len(replay.model.layout.layers)))
    if (typed := LAYERS.typed(choice)) is not None:
        return existing(typed, len(every), "layer")
    return every if choice == "all" else every[-1:]


METHOD = DirectAttention()
