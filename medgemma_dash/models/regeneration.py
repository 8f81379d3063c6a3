"""What a model says to a question whose soft tokens were changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.core.progress import Check
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.decision import margin
from medgemma_dash.models.decoding import greedy_tokens
from medgemma_dash.models.ending import end_ids
from medgemma_dash.models.text_pieces import text_pieces


@dataclass(frozen=True)
class Regenerated:
    """stopped: "end of turn" or "length". margin: as `Answer.margin`."""

    text: str
    ids: tuple[int, ...]
    stopped: str
    margin: float | None


def regenerate(
    model: VisionLanguageModel,
    prompt_ids: Int[Tensor, " prompt"],
    image_spans: Sequence[tuple[int, int]],
    features: Float[Tensor, "soft_tokens hidden"],
    max_new_tokens: int,
    check: Check | None = None,
) -> Regenerated:
    """The greedy answer to a prompt with these soft tokens; the caller holds the model's lock.

    max_new_tokens counts the closing control token. `check` is called for every token.
    """
    ends, decision = end_ids(model), None
    ids: list[int] = []
    with torch.inference_mode(mode=False):
        for token in greedy_tokens(model, prompt_ids, image_spans, features):
            if not ids:
                decision = margin(model.processor.tokenizer, token.logits.float())
            ids.append(token.id)
            if token.id in ends or len(ids) >= max_new_tokens:
                break
            if check is not None:
                check()
    return Regenerated(
        text="".join(text_pieces(model.processor.tokenizer, ids)),
        ids=tuple(ids),
        stopped="end of turn" if ids[-1] in ends else "length",
        margin=decision,
    )
