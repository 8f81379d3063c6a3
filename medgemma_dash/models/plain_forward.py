"""Forward passes by transformers alone: the yardsticks that the engine is measured against."""

from collections.abc import Iterator
from contextlib import contextmanager

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
