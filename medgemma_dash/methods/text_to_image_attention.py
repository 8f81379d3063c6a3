"""Text-to-image attention: how the last predicting positions look at the image."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Target
from medgemma_dash.methods.attention_rows import (
    before_prediction,
    predicting_rows,
    weighted_attention,
)
from medgemma_dash.methods.specification import Check, Control, MethodSpec, Rows
from medgemma_dash.models.replay import Replay

MOST_ROWS = 5  # MedGemma Visualizer documentation
LAYERS = Control(
    "layers",
    "Layers",
    ("last", "last three"),
    "The last layer, or the last three with weights 1/6, 2/6 and 3/6, the last one most.",
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
        r"Q = \{\max(p_1,\,p-4)-1, \dots, p-1\}",
        source="MedGemma Visualizer documentation, under the name cross-attention; attention is "
        "Vaswani et al., NeurIPS 2017, equation 1, https://arxiv.org/abs/1706.03762",
        cost="0",
        family="attention",
        signed=False,
        contrastive=False,
        controls=(LAYERS,),
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
        predicting = predicting_rows(answer, targets)
        weights = _layer_weights(replay, dict(settings)["layers"])
        first = max(answer.prompt_length - 1, min(predicting) - MOST_ROWS + 1)
        looking = range(first, max(predicting) + 1)
        seen = weighted_attention(replay, weights, looking, check=check)
        relevance = torch.zeros(len(targets), replay.sequence, device=seen.device)
        start, stop = answer.image_span
        for row, place in zip(relevance, predicting, strict=True):
            last = place + 1 - first
            row[start:stop] = seen[max(0, last - MOST_ROWS) : last, start:stop].mean(0)
        return before_prediction(relevance, predicting)


def _layer_weights(replay: Replay, choice: str) -> dict[int, float]:
    """Weights of the last layers; of those there are, when the model has fewer."""
    count = len(replay.model.layout.layers)
    shares = (3, 2, 1)[:count] if choice == "last three" else (1,)  # from the last layer backwards
    return {count - 1 - back: share / sum(shares) for back, share in enumerate(shares)}


METHOD = TextToImageAttention()
