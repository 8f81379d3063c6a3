"""Text-to-image attention: how the last predicting positions look at the image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.attention_rows import (
    before_prediction,
    predicting_rows,
    weighted_attention,
)
from medgemma_dash.methods.specification import Control, MethodSpec, Rows
from medgemma_dash.methods.typed_numbers import Numbers
from medgemma_dash.models.replay import Replay

LAYERS = Control(
    "layers",
    "Layers",
    ("last", "last three"),
    "The last layer, or the last three with weights 1/6, 2/6 and 3/6, the last one most. Or type "
    "a number: the even mean over as many last layers.",
    Numbers("a number of last layers, which then count alike", least=1),
)
ROWS = Control(
    "rows",
    "Words looked from",
    ("5", "1", "10", "all"),
    "How many predicting positions, the word's own the last of them, are averaged: five as "
    "documented, or type another number. The first words of an answer have fewer.",
    Numbers("a number of predicting positions", least=1),
)


@dataclass(frozen=True)
class TextToImageAttention:
    """The text-to-image block of the decoder's self-attention, mean over rows and heads."""

    spec = MethodSpec(
        name="text_to_image_attention",
        title="Text-to-image attention",
        card="Where the last few words of the answer, up to the chosen one, look in the image. "
        "Elsewhere it is called cross-attention, which this model does not have: image and text "
        "share one self-attention. Averaging over words makes it steadier, and neighbouring words "
        "alike: distrust differences between them, and remember that looking is not using.",
        formula=r"r = \sum_{l} w_l\,\frac{1}{|Q|\,H}\sum_{q \in Q}\sum_h A_{l,h}[q, V],\quad "
        r"Q = \{\max(p_1,\,p-n+1)-1, \dots, p-1\},\ n = 5",
        source="MedGemma Visualizer documentation, under the name cross-attention; attention is "
        "Vaswani et al., NeurIPS 2017, equation 1, https://arxiv.org/abs/1706.03762",
        cost="0",
        needs="the decoder's attention",
        family="attention",
        signed=False,
        contrastive=False,
        controls=(LAYERS, ROWS),
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
        weights = _layer_weights(replay, chosen["layers"])
        # All: as many as the answer has.
        (most,) = ROWS.typed(chosen["rows"]) or (len(answer.tokens),)
        first = max(answer.prompt_length - 1, min(predicting) - most + 1)
        looking = range(first, max(predicting) + 1)
        seen = weighted_attention(replay, weights, looking, check=check)
        relevance = torch.zeros(len(targets), replay.sequence, device=seen.device)
        start, stop = answer.image_span
        for row, place in zip(relevance, predicting, strict=True):
            last = place + 1 - first
            row[start:stop] = seen[max(0, last - most) : last, start:stop].mean(0)
        return before_prediction(relevance, predicting)


def _layer_weights(replay: Replay, choice: str) -> dict[int, float]:
    """Weights of the last layers; of those there are, when the model has fewer."""
    count = len(replay.model.layout.layers)
    shares: tuple[int, ...]  # from the last layer backwards
    if (typed := LAYERS.typed(choice)) is not None:
        shares = (1,) * min(typed[0], count)
    else:
        shares = (3, 2, 1)[:count] if choice == "last three" else (1,)
    return {count - 1 - back: share / sum(shares) for back, share in enumerate(shares)}


METHOD = TextToImageAttention()
