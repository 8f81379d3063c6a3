"""A sequence as the decoder's input: words and soft tokens in one row of embeddings."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel


def embed(
    model: VisionLanguageModel,
    input_ids: Int[Tensor, " sequence"],
    image_span: tuple[int, int],
    features: Float[Tensor, "soft_tokens hidden"],
) -> tuple[Float[Tensor, "1 sequence hidden"], Int[Tensor, "1 sequence"]]:
    """Input embeddings with the soft tokens in place, and token types (1 on the image)."""
    start, stop = image_span
    with torch.no_grad():
        words = input_ids.to(model.device).clone()
        words[start:stop] = 0  # the image token may lie outside the embedding table
        embeddings = model.hf_model.get_input_embeddings()(words).clone()
        embeddings[start:stop] = features.to(embeddings.dtype)
    token_types = torch.zeros_like(words)
    token_types[start:stop] = 1
    return embeddings.unsqueeze(0), token_types.unsqueeze(0)
