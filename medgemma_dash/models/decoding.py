"""Greedy decoding with a key/value cache, one token at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.embedding import embed


@dataclass(frozen=True, eq=False)
class DecodedToken:
    """The most probable token, the logits that chose it, and the state that they were read from.

    The state is what to keep: `read_logits` gives the same logits of it again.
    """

    id: int
    logits: Float[Tensor, " vocabulary"]
    state: Float[Tensor, " hidden"]


def greedy_tokens(
    model: VisionLanguageModel,
    input_ids: Int[Tensor, " prompt"],
    image_spans: Sequence[tuple[int, int]],
    features: Float[Tensor, "soft_tokens hidden"],
) -> Iterator[DecodedToken]:
    """What the model says, token by token, without end: the caller stops."""
    token_types: Tensor | None
    embeddings, token_types = embed(model, input_ids, image_spans, features)
    cache = DynamicCache(config=model.hf_model.config.text_config)
    while True:
        with torch.no_grad():
            state = model.hf_model.model(
                inputs_embeds=embeddings,
                token_type_ids=token_types,
                cache=cache,
                use_cache=True,
            ).last_hidden_state[0, -1]
        logits = read_logits(model, state)
        token = int(logits.argmax())
        yield DecodedToken(token, logits, state)
        with torch.no_grad():
            said = torch.tensor([[token]], device=model.device)
            embeddings = model.hf_model.get_input_embeddings()(said)
        token_types = None  # the images are in the cache; new tokens are causal


def read_logits(
    model: VisionLanguageModel, state: Float[Tensor, " hidden"]
) -> Float[Tensor, " vocabulary"]:
    """The logits of a decoder's normed last state; of the same tensor the same to the bit."""
    with torch.no_grad():
        return model.hf_model.lm_head(state)  # type: ignore[no-any-return]
