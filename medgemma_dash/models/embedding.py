"""A sequence as the decoder's input: words and soft tokens in one row of embeddings."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel


def embed(
    model: VisionLanguageModel,
    input_ids: Int[Tensor, " sequence"],
    image_spans: Sequence[tuple[int, int]],
    features: Float[Tensor, "soft_tokens hidden"],
) -> tuple[Float[Tensor, "1 sequence hidden"], Int[Tensor, "1 sequence"]]:
    """Input embeddings with the soft tokens of all images in place, and token types.

    Types are 1 on soft tokens. Each run of them is one image to transformers, which lets a soft
    token see its own image and what stands in front of it.
    """
    soft = soft_positions(image_spans)
    with torch.no_grad():
        words = input_ids.to(model.device).clone()
        words[soft] = 0  # the image token may lie outside the embedding table
        embeddings = model.hf_model.get_input_embeddings()(words).clone()
        embeddings[soft] = features.to(embeddings.dtype)
    token_types = torch.zeros_like(words)
    token_types[soft] = 1
    return embeddings.unsqueeze(0), token_types.unsqueeze(0)


def soft_positions(image_spans: Sequence[tuple[int, int]]) -> Int[Tensor, " soft_tokens"]:
    """Where the soft tokens of these images stand, image after image."""
    return torch.cat([torch.arange(start, stop) for start, stop in image_spans])
