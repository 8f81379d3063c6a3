"""Text-to-image attention: how the last predicting positions look at the image."""

from dataclasses import dataclass
from typing import Literal

import torch

from medgemma_dash.core.relevance import Relevance
from medgemma_dash.methods.attention_rows import weighted_attention
from medgemma_dash.methods.call import Call
from medgemma_dash.methods.options import Option
from medgemma_dash.methods.specification import MethodSpec
from medgemma_dash.methods.typed_numbers import Numbers

LAYERS = Option(
    "layers",
    "Layers",
    ("last", "last three"),
    "The last layer, or the last three with weights 1/6, 2/6 and 3/6, the last one most. Or type "
    "a number: the even mean over as many last layers.",
    numbers=Numbers("a number of last layers, which then count alike", least=1),
)
ROWS = Option(
    "rows",
    "Words looked from",
    ("5", "1", "10", "all"),
    "How many predicting positions, the word's own the last of them, are averaged: five as "
    "documented, or type another number. The first words of an answer have fewer.",
    values=(5, 1, 10, "all"),
    numbers=Numbers("a number of predicting positions", least=1),
)


@dataclass(frozen=True)
class TextToImageOptions:
    """How many last layers, and how many predicting positions up to the word's own."""

    layers: Literal["last", "last three"] | int = "last"
    rows: int | Literal["all"] = 5


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
        options=(LAYERS, ROWS),
        options_type=TextToImageOptions,
    )

    def rows(self, call: Call[TextToImageOptions]) -> Relevance:
        """See `Method.rows`."""
        answer, predicting, most = call.answer, call.predicting, call.options.rows
        if most == "all":
            most = len(answer.tokens)
        weights = _layer_weights(len(call.model.layout.layers), call.options.layers)
        first = max(answer.prompt_length - 1, min(predicting) - most + 1)
        looking = range(first, max(predicting) + 1)
        seen = weighted_attention(call, weights, looking)[:, call.cells]
        lasts = [place + 1 - first for place in predicting]
        return call.relevance(
            call.on_images(torch.stack([seen[max(0, n - most) : n].mean(0) for n in lasts]))
        )


def _layer_weights(count: int, choice: str | int) -> dict[int, float]:
    """Weights of the last layers; of those there are, when the model has fewer."""
    shares: tuple[int, ...]  # from the last layer backwards
    if isinstance(choice, int):
        shares = (1,) * min(choice, count)
    else:
        shares = (3, 2, 1)[:count] if choice == "last three" else (1,)
    return {count - 1 - back: share / sum(shares) for back, share in enumerate(shares)}


METHOD = TextToImageAttention()
