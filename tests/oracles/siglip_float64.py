"""The vision tower and its projector from their definitions, in float64, no code of transformers'.

SigLIP (arXiv:2303.15343) without its pooling head; the projector of the Gemma 3 report
(arXiv:2503.19786). Every layer's output is a tensor in the graph.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import gelu_tanh, rms_norm


@dataclass(frozen=True)
class TowerForward:
    """layers: the output of every layer, (patches, channels); soft_tokens (soft tokens, hidden)."""

    layers: tuple[Tensor, ...]
    soft_tokens: Tensor


def see(hf_model, pixel_values: Tensor) -> TowerForward:
    """Run one preprocessed image, (1, 3, height, width), through tower and projector."""
    vision = hf_model.config.vision_config
    weights = {name: value.detach().double() for name, value in hf_model.state_dict().items()}
    tower = part(weights, "model.vision_tower.")
    x = patches_of(pixel_values[0].double(), vision.patch_size)
    kernel = tower["embeddings.patch_embedding.weight"].flatten(1)
    x = x @ kernel.T + tower["embeddings.patch_embedding.bias"]
    x = x + tower["embeddings.position_embedding.weight"]
    x.requires_grad_()
    outputs = []
    for index in range(vision.num_hidden_layers):
        layer = part(tower, f"encoder.layers.{index}.")
        x = x + attention(norm(x, layer, "layer_norm1", vision), layer, vision)
        hidden = gelu_tanh(linear(norm(x, layer, "layer_norm2", vision), layer, "mlp.fc1"))
        x = x + linear(hidden, layer, "mlp.fc2")
        outputs.append(x)
    x = norm(x, tower, "post_layernorm", vision)
    projector = part(weights, "model.multi_modal_projector.")
    pooled = pool(x, math.isqrt(hf_model.config.mm_tokens_per_image))
    normed = rms_norm(pooled, projector["mm_soft_emb_norm.weight"], vision.layer_norm_eps)
    return TowerForward(tuple(outputs), normed @ projector["mm_input_projection_weight"])


def patches_of(pixels: Tensor, size: int) -> Tensor:
    """Cut (3, height, width) into squares, row by row: (patches, 3 * size * size)."""
    _, height, width = pixels.shape
    return torch.stack(
        [
            pixels[:, y : y + size, x : x + size].flatten()
            for y in range(0, height, size)
            for x in range(0, width, size)
        ]
    )


def pool(x: Tensor, side: int) -> Tensor:
    """Mean of the patches of each soft token; (patches, ...) to (side * side, ...)."""
    patches = math.isqrt(len(x))
    step = patches // side
    cells = []
    for row in range(side):
        for col in range(side):
            members = [
                x[(row * step + y) * patches + col * step + z]
                for y in range(step)
                for z in range(step)
            ]
            cells.append(sum(members) / len(members))
    return torch.stack(cells)


def attention(x: Tensor, layer: dict[str, Tensor], vision) -> Tensor:
    """Every patch sees every patch."""
    dim = vision.hidden_size // vision.num_attention_heads
    q, k, v = (linear(x, layer, f"self_attn.{name}_proj").split(dim, -1) for name in "qkv")
    heads = [(a @ b.T / math.sqrt(dim)).softmax(-1) @ c for a, b, c in zip(q, k, v, strict=True)]
    return linear(torch.cat(heads, -1), layer, "self_attn.out_proj")


def norm(x: Tensor, weights: dict[str, Tensor], name: str, vision) -> Tensor:
    """Layer norm: mean 0, variance 1, then scale and shift."""
    centred = x - x.mean(-1, keepdim=True)
    unit = centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + vision.layer_norm_eps)
    return unit * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    """x W^T + b."""
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def part(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights below a name, without it."""
    return {n.removeprefix(prefix): v for n, v in weights.items() if n.startswith(prefix)}
