"""Facts about a Gemma 3 image-text model, read from its configuration as plain data."""

import math
from dataclasses import dataclass
from typing import Any

from medgemma_dash.core.errors import UnsupportedModelError


@dataclass(frozen=True)
class LayerInfo:
    """One decoder layer: global layers see every earlier token, local ones a sliding window."""

    index: int
    is_global: bool


@dataclass(frozen=True)
class ModelLayout:
    """Where things are in a Gemma 3 image-text model.

    grid: (rows, cols) of the soft tokens that stand for one radiograph.
    image_size: side in pixels of the square that the processor stretches a radiograph to.
    """

    image_token_id: int
    grid: tuple[int, int]
    layers: tuple[LayerInfo, ...]
    query_heads: int
    key_value_heads: int
    hidden_size: int
    sliding_window: int
    image_size: int
    patch_size: int

    @property
    def soft_tokens(self) -> int:
        """Number of soft tokens per radiograph."""
        return self.grid[0] * self.grid[1]


def read_layout(config: Any) -> ModelLayout:
    """Read the layout from a transformers configuration; raises UnsupportedModelError."""
    if getattr(config, "model_type", None) != "gemma3":
        raise UnsupportedModelError(
            f"This checkpoint is of type {getattr(config, 'model_type', 'unknown')!r}. "
            "Allowed: Gemma 3 image-text models, such as google/medgemma-1.5-4b-it."
        )
    text, vision = config.text_config, config.vision_config
    side = math.isqrt(config.mm_tokens_per_image)
    if side * side != config.mm_tokens_per_image:
        raise UnsupportedModelError(
            f"{config.mm_tokens_per_image} soft tokens per image do not form a square grid."
        )
    return ModelLayout(
        image_token_id=config.image_token_id,
        grid=(side, side),
        layers=tuple(
            LayerInfo(index, kind == "full_attention")
            for index, kind in enumerate(text.layer_types)
        ),
        query_heads=text.num_attention_heads,
        key_value_heads=text.num_key_value_heads,
        hidden_size=text.hidden_size,
        sliding_window=text.sliding_window,
        image_size=vision.image_size,
        patch_size=vision.patch_size,
    )
