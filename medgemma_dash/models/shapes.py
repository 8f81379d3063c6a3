"""Random models of known shapes, for measuring speed where no weights are at hand."""

from dataclasses import dataclass

import torch
from transformers import Gemma3Config, Gemma3ForConditionalGeneration

from medgemma_dash.core.errors import ModelError
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.loading import model_without_processor


@dataclass(frozen=True)
class Shape:
    """The sizes that decide what a click costs. The vision tower's are the SigLIP of Gemma 3."""

    name: str
    hidden: int
    layers: int
    intermediate: int
    query_heads: int
    key_value_heads: int
    head_dim: int
    vocabulary: int
    vision_width: int
    vision_layers: int
    vision_intermediate: int
    image_size: int
    patch_size: int
    soft_tokens: int = 256


SHAPES = (
    # Width and depth of Gemma 3 270M with MedGemma's head layout: 106 million parameters besides
    # the embeddings.
    Shape("100m", 640, 18, 2048, 8, 4, 128, 8192, 128, 2, 256, 224, 14),
    # MedGemma 4B, from its published configuration.
    Shape("medgemma-4b", 2560, 34, 10240, 8, 4, 256, 262208, 1152, 27, 4304, 896, 14),
)


def shape_named(name: str) -> Shape:
    """The shape called `name`; raises ModelError that lists the names."""
    for shape in SHAPES:
        if shape.name == name:
            return shape
    raise ModelError(f"There is no shape {name!r}. Shapes: {', '.join(s.name for s in SHAPES)}.")


def random_model(shape: Shape, device: torch.device, dtype: torch.dtype) -> VisionLanguageModel:
    """A model of this shape with random weights, and no processor: it is only for measuring."""
    heads = 16 if shape.vision_width % 16 == 0 else 1
    config = Gemma3Config(
        text_config={
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "intermediate_size": shape.intermediate,
            "num_attention_heads": shape.query_heads,
            "num_key_value_heads": shape.key_value_heads,
            "head_dim": shape.head_dim,
            "query_pre_attn_scalar": shape.head_dim,
            "vocab_size": shape.vocabulary,
            "sliding_window": 1024,
        },
        vision_config={
            "hidden_size": shape.vision_width,
            "num_hidden_layers": shape.vision_layers,
            "intermediate_size": shape.vision_intermediate,
            "num_attention_heads": heads,
            "image_size": shape.image_size,
            "patch_size": shape.patch_size,
        },
        mm_tokens_per_image=shape.soft_tokens,
        image_token_index=shape.vocabulary - 1,
    )
    config.image_token_id = shape.vocabulary - 1
    default = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with device:
            hf_model = Gemma3ForConditionalGeneration(config)
    finally:
        torch.set_default_dtype(default)
    hf_model.set_attn_implementation("sdpa")
    with torch.no_grad():
        hf_model.model.multi_modal_projector.mm_input_projection_weight.normal_(std=0.02)
    model = model_without_processor(hf_model)
    model.name = f"random weights, shape {shape.name}"
    return model
