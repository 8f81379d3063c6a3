"""The Gemma 3 decoder from its definition: full matrices, float64, no code of transformers'.

Slow on purpose. Every attention matrix of every layer and head is a tensor in the graph, so that
autograd gives dz/dA without any trick. Written from the Gemma 3 report (arXiv:2503.19786) and the
names in the checkpoint: query head h reads key/value head h // (query heads / key-value heads).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class FullForward:
    """logits (S, V); per layer: attentions (heads, S, S), visible (S, S), outputs (S, hidden)."""

    embeddings: Tensor
    logits: Tensor
    attentions: tuple[Tensor, ...]
    visible: tuple[Tensor, ...]
    is_global: tuple[bool, ...]
    outputs: tuple[Tensor, ...]


def decode(hf_model, input_ids, image_features: Tensor, *, causal: bool = False) -> FullForward:
    """Run prompt and answer through the decoder; soft tokens stand where the image token does.

    causal: no soft token sees one behind it, as without `token_type_ids`.
    """
    config = hf_model.config
    text = config.text_config
    weights = {
        name.removeprefix("model.language_model."): value.detach().double()
        for name, value in hf_model.state_dict().items()
    }
    input_ids = torch.tensor(input_ids)
    is_image = input_ids == config.image_token_id
    table = weights["embed_tokens.weight"]
    x = table[torch.where(is_image, 0, input_ids)] * math.sqrt(text.hidden_size)
    x[is_image] = image_features.detach().double()
    x.requires_grad_()
    embeddings = x

    attentions, visible, outputs = [], [], []
    is_global = tuple(kind == "full_attention" for kind in text.layer_types)
    for layer in range(text.num_hidden_layers):
        here = {
            name.removeprefix(f"layers.{layer}."): value
            for name, value in weights.items()
            if name.startswith(f"layers.{layer}.")
        }
        window = None if is_global[layer] else text.sliding_window
        mask = visible_keys(torch.zeros_like(is_image) if causal else is_image, window)
        rope = text.rope_parameters[text.layer_types[layer]]
        normed = rms_norm(x, here["input_layernorm.weight"], text.rms_norm_eps)
        attended, A = attention(normed, here, text, rope, mask)
        x = x + rms_norm(attended, here["post_attention_layernorm.weight"], text.rms_norm_eps)
        normed = rms_norm(x, here["pre_feedforward_layernorm.weight"], text.rms_norm_eps)
        gate = gelu_tanh(normed @ here["mlp.gate_proj.weight"].T)
        fed = (gate * (normed @ here["mlp.up_proj.weight"].T)) @ here["mlp.down_proj.weight"].T
        x = x + rms_norm(fed, here["post_feedforward_layernorm.weight"], text.rms_norm_eps)
        attentions.append(A)
        visible.append(mask)
        outputs.append(x)
    logits = rms_norm(x, weights["norm.weight"], text.rms_norm_eps) @ table.T  # tied
    return FullForward(
        embeddings, logits, tuple(attentions), tuple(visible), is_global, tuple(outputs)
    )


def attention(x: Tensor, weights: dict[str, Tensor], text, rope, mask: Tensor):
    """One layer's attention; returns its output (S, hidden) and A (heads, S, S)."""
    heads, kv_heads, dim = text.num_attention_heads, text.num_key_value_heads, text.head_dim
    of_query = [h // (heads // kv_heads) for h in range(heads)]
    Q = (x @ weights["self_attn.q_proj.weight"].T).split(dim, dim=-1)
    K = (x @ weights["self_attn.k_proj.weight"].T).split(dim, dim=-1)
    V = (x @ weights["self_attn.v_proj.weight"].T).split(dim, dim=-1)
    scores = []
    for h, g in enumerate(of_query):
        q = rotate(rms_norm(Q[h], weights["self_attn.q_norm.weight"], text.rms_norm_eps), rope)
        k = rotate(rms_norm(K[g], weights["self_attn.k_norm.weight"], text.rms_norm_eps), rope)
        scores.append(q @ k.T / math.sqrt(text.query_pre_attn_scalar))
    A = torch.stack(scores).masked_fill(~mask, -math.inf).softmax(-1)
    output = A @ torch.stack([V[g] for g in of_query])
    joined = torch.cat(tuple(output), dim=-1)
    return joined @ weights["self_attn.o_proj.weight"].T, A


def visible_keys(is_image: Tensor, window: int | None) -> Tensor:
    """mask[query, key]: (key not after query, or both in one image) and inside the window."""
    place = torch.arange(len(is_image))
    query, key = place[:, None], place[None, :]
    image = torch.zeros(len(is_image), dtype=torch.long)  # the number of each place's image
    for i in range(1, len(is_image)):
        image[i] = image[i - 1] + int(is_image[i] and not is_image[i - 1])
    together = is_image[:, None] & is_image[None, :] & (image[:, None] == image[None, :])
    mask = (key <= query) | together
    if window is not None:
        mask &= key > query - window
    return mask


def rms_norm(x: Tensor, w: Tensor, eps: float) -> Tensor:
    """The root mean square norm x / rms(x) * (1 + w)."""
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * (1 + w)


def rotate(x: Tensor, rope) -> Tensor:
    """Rotary embedding of (S, dim): dimension i turns with i + dim/2."""
    half = x.shape[-1] // 2
    frequency = rope["rope_theta"] ** (-torch.arange(half, dtype=torch.float64) / half)
    if rope["rope_type"] == "linear":
        frequency = frequency / rope["factor"]
    angle = torch.arange(len(x), dtype=torch.float64)[:, None] * frequency
    a, b = x[:, :half], x[:, half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)


def gelu_tanh(x: Tensor) -> Tensor:
    """The tanh approximation of x Phi(x)."""
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
