"""Greedy decoding with a key/value cache, one token at a time."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import DynamicCache

from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.embedding import embed


def greedy_tokens(
    model: VisionLanguageModel,
    input_ids: Int[Tensor, " prompt"],
    image_span: tuple[int, int],
    features: Float[Tensor, "soft_tokens hidden"],
) -> Iterator[tuple[int, Float[Tensor, " vocabulary"]]]:
    """The most probable token and the logits that chose it, without end: the caller stops."""
    token_types: Tensor | None
    embeddings, token_types = embed(model, input_ids, image_span, features)
    cache = DynamicCache(config=model.hf_model.config.text_config)
    while True:
        with torch.no_grad():
            hidden = model.hf_model.model(
                inputs_embeds=embeddings,
                token_type_ids=token_types,
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state[0, -1]
            logits = model.hf_model.lm_head(hidden)
        token = int(logits.argmax())
        yield token, logits
        with torch.no_grad():
            said = torch.tensor([[token]], device=model.device)
            embeddings = model.hf_model.get_input_embeddings()(said)
        token_types = None  # the image is in the cache; new tokens are causal
