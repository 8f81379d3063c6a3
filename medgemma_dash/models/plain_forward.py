"""Forward passes by transformers alone: the yardsticks that the engine is measured against."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel


def plain_logit(
    model: VisionLanguageModel,
    embeddings: Float[Tensor, "1 sequence hidden"],
    token_types: Int[Tensor, "1 sequence"],
    row: int,
    token: int,
    *,
    attentions: bool = False,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """A token's logit at a position, with its graph; and every layer's attention if asked for."""
    output = model.hf_model.model(
        inputs_embeds=embeddings,
        token_type_ids=token_types,
        use_cache=False,
        output_attentions=attentions,
    )
    z = model.hf_model.lm_head(output.last_hidden_state[:, row])[0, token]
    return z, output.attentions if attentions else ()


def plain_log_probabilities(
    model: VisionLanguageModel,
    embeddings: Float[Tensor, "variants sequence hidden"],
    token_types: Int[Tensor, "variants sequence"],
    row: int,
) -> Float[Tensor, "variants vocabulary"]:
    """Of every token at a position, in one batch without a graph."""
    with torch.no_grad():
        states = model.hf_model.model(
            inputs_embeds=embeddings, token_type_ids=token_types, use_cache=False
        ).last_hidden_state
        return model.hf_model.lm_head(states[:, row]).float().log_softmax(-1)  # type: ignore[no-any-return]


@contextmanager
def textbook_mode(model: VisionLanguageModel) -> Iterator[None]:
    """Eager attention and parameters that gather gradients; both are undone at the end."""
    hf_model = model.hf_model
    before = hf_model.config.text_config._attn_implementation  # noqa: SLF001  no public getter
    hf_model.config.text_config._attn_implementation = "eager"  # noqa: SLF001
    decoder = hf_model.model.language_model
    decoder.requires_grad_(True)
    try:
        yield
    finally:
        decoder.requires_grad_(False)
        for parameter in decoder.parameters():
            parameter.grad = None
        hf_model.config.text_config._attn_implementation = before  # noqa: SLF001
