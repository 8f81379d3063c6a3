"""What the model would have said to a prompt, had its soft tokens been other ones."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.decoding import greedy_tokens
from medgemma_dash.models.ending import end_ids
from medgemma_dash.models.text_pieces import text_pieces


@dataclass(frozen=True)
class Said:
    """A greedy answer. ended: whether the model ended it, or it was cut off."""

    text: str
    ended: bool


def say_again(
    model: VisionLanguageModel,
    answer: Answer,
    features: Float[Tensor, "soft_tokens hidden"],
    most_tokens: int,
    check: Callable[[], None] | None = None,
) -> Said:
    """Answer the prompt of an answer anew, greedily, with these soft tokens in all images' places.

    The caller holds the model's lock; `check` is called for every token and may raise.
    """
    prompt = torch.from_numpy(answer.input_ids[: answer.prompt_length].copy())
    ends, ids = end_ids(model), list[int]()
    for token in greedy_tokens(model, prompt, answer.image_spans, features):
        if token.id in ends or len(ids) == most_tokens:
            break
        ids.append(token.id)
        if check is not None:
            check()
    text = "".join(text_pieces(model.processor.tokenizer, ids))
    return Said(text, len(ids) < most_tokens or token.id in ends)
