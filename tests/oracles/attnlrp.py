"""AttnLRP as it is defined: relevance handed from each operation's output to its inputs.

Achtibat et al., ICML 2024, with full matrices in float64 and no autograd. R_x is the relevance of
a tensor x. The rules, and what they keep of the sum of R:

    linear map y = W x     R_x = x * W^T (R_y / y)                  kept (no bias, no stabiliser)
    sum y = a + b          R_a = a * R_y / y, R_b likewise           kept
    norm                   R_x = R_y (identity)                      kept, whatever its epsilon
    activation             R_x = R_y (identity)                      kept
    product y = a * b      R_a = R_b = R_y / 2                       kept
    matrix product A B     R_A = A * ((R_y / y) B^T) / 2, R_B alike  kept
    softmax s = soft(x)    R_x = x * (R_s - s sum(R_s))              loses sum(R_s - R_x)
    logsumexp of x         R_x = x * soft(x) R_y (its gradient)      loses log(sum) - sum(x soft(x))

So of a layer's relevance only sum(R_A - R_scores) is lost: the softmax is not homogeneous, and its
Taylor expansion at x has a constant term that belongs to no input. Divisions have no stabiliser,
for in float64 on a random model nothing is exactly zero; a zero output would hand on nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from medgemma_dash.models.logit_target import LogitTerm
from tests.oracles.gemma3_float64 import FullForward, gelu_tanh, rms_norm, rotate
from tests.oracles.target import before_prediction, terms_of

Terms = Sequence[LogitTerm]


@dataclass(frozen=True)
class Propagated:
    """relevance (S,) of the embeddings; per layer, last first: its output's, lost, its input's."""

    relevance: Tensor
    z: Tensor
    layers: tuple[tuple[Tensor, Tensor, Tensor], ...]


def oracle(case, targets, options) -> np.ndarray:
    """Relevance of every position, (targets, S), float64."""
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        handed = propagate(case.model.hf_model, case.forward, terms)
        rows.append(before_prediction(handed.relevance, terms))
    return np.stack(rows)


def propagate(hf_model, forward: FullForward, terms: Terms) -> Propagated:
    """Hand z back to the embeddings."""
    text = hf_model.config.text_config
    weights = {
        name.removeprefix("model.language_model."): value.detach().double()
        for name, value in hf_model.state_dict().items()
    }
    inputs = (forward.embeddings.detach(), *(output.detach() for output in forward.outputs))
    normed = rms_norm(inputs[-1], weights["norm.weight"], text.rms_norm_eps)
    table = weights["embed_tokens.weight"]
    R = torch.zeros_like(normed)
    for term in terms:
        # Near these states a logsumexp is the mean of its logits, weighted by their softmax.
        share = (normed[term.row] @ table[list(term.ids)].T).softmax(-1)
        for token, part in zip(term.ids, share, strict=True):
            R[term.row] += term.weight * part * normed[term.row] * table[token]
    z = R.sum()
    layers = []
    for index in reversed(range(text.num_hidden_layers)):
        here = {
            name.removeprefix(f"layers.{index}."): value
            for name, value in weights.items()
            if name.startswith(f"layers.{index}.")
        }
        rope = text.rope_parameters[text.layer_types[index]]
        before = R.sum()
        R, lost = _layer(inputs[index], R, here, text, rope, forward.visible[index])
        layers.append((before, lost, R.sum()))
    return Propagated(R.sum(-1), z, tuple(layers))


def _layer(x: Tensor, R: Tensor, weights: dict[str, Tensor], text, rope, visible: Tensor):
    """From the relevance of a layer's output to that of its input, and what its softmax lost."""
    eps = text.rms_norm_eps
    # Forward, every intermediate tensor by name.
    normed = rms_norm(x, weights["input_layernorm.weight"], eps)
    W_q, W_k, W_v, W_o = (weights[f"self_attn.{name}_proj.weight"] for name in "qkvo")
    dim, groups = text.head_dim, text.num_attention_heads // text.num_key_value_heads
    q0, k0, v = (_heads(normed @ W.T, dim) for W in (W_q, W_k, W_v))
    q1 = rms_norm(q0, weights["self_attn.q_norm.weight"], eps)
    k1 = rms_norm(k0, weights["self_attn.k_norm.weight"], eps)
    q, k = (torch.stack([rotate(head, rope) for head in heads]) for heads in (q1, k1))
    K, V = k.repeat_interleave(groups, 0), v.repeat_interleave(groups, 0)
    scores = q @ K.mT / math.sqrt(text.query_pre_attn_scalar)
    A = scores.masked_fill(~visible, -math.inf).softmax(-1)
    heads_out = A @ V
    O = torch.cat(tuple(heads_out), -1)  # noqa: E741
    attended = O @ W_o.T
    attended_normed = rms_norm(attended, weights["post_attention_layernorm.weight"], eps)
    middle = x + attended_normed
    normed2 = rms_norm(middle, weights["pre_feedforward_layernorm.weight"], eps)
    W_gate, W_up, W_down = (weights[f"mlp.{name}_proj.weight"] for name in ("gate", "up", "down"))
    gate, up = normed2 @ W_gate.T, normed2 @ W_up.T
    product = gelu_tanh(gate) * up
    fed = product @ W_down.T
    fed_normed = rms_norm(fed, weights["post_feedforward_layernorm.weight"], eps)

    # Backward through the feed-forward half.
    R_middle, R_fed = _sum(middle, fed_normed, R)
    R_product = _linear(product, fed, W_down, R_fed)
    R_normed2 = _linear(normed2, gate, W_gate, R_product / 2)  # the activation hands on all
    R_normed2 = R_normed2 + _linear(normed2, up, W_up, R_product / 2)
    R_middle = R_middle + R_normed2

    # Backward through the attention half.
    R_x, R_attended = _sum(x, attended_normed, R_middle)
    R_O = _linear(O, attended, W_o, R_attended)
    R_A, R_V = _matrix_product(A, V, heads_out, _heads(R_O, dim))
    # A hidden key has A = 0, and no relevance.
    R_scores = torch.where(visible, scores * (R_A - A * R_A.sum(-1, keepdim=True)), 0.0)
    lost = (R_A - R_scores).sum()
    scaled_K = K.mT / math.sqrt(text.query_pre_attn_scalar)
    R_q, R_K = _matrix_product(q, scaled_K, scores, R_scores)
    # Query heads that share a key/value head add up there.
    R_k, R_v = (R.unflatten(0, (-1, groups)).sum(1) for R in (R_K.mT, R_V))
    R_q1, R_k1 = _unrotate(q1, q, R_q, rope), _unrotate(k1, k, R_k, rope)
    R_normed = sum(
        _linear(normed, torch.cat(tuple(y), -1), W, torch.cat(tuple(R_y), -1))
        for y, W, R_y in ((q0, W_q, R_q1), (k0, W_k, R_k1), (v, W_v, R_v))
    )
    return R_x + R_normed, lost


def _heads(x: Tensor, dim: int) -> Tensor:
    return torch.stack(x.split(dim, -1))


def _divided(R: Tensor, y: Tensor) -> Tensor:
    return torch.where(y == 0, 0.0, R / y)


def _sum(a: Tensor, b: Tensor, R: Tensor) -> tuple[Tensor, Tensor]:
    share = _divided(R, a + b)
    return a * share, b * share


def _linear(x: Tensor, y: Tensor, W: Tensor, R_y: Tensor) -> Tensor:
    return x * (_divided(R_y, y) @ W)


def _matrix_product(A: Tensor, B: Tensor, y: Tensor, R_y: Tensor) -> tuple[Tensor, Tensor]:
    share = _divided(R_y, y) / 2
    return A * (share @ B.mT), B * (A.mT @ share)


def _unrotate(x: Tensor, y: Tensor, R_y: Tensor, rope) -> Tensor:
    """The rotation of each position is a matrix; its columns are the rotated unit vectors."""
    positions, dim = x.shape[-2:]
    columns = [rotate(unit.expand(positions, dim), rope) for unit in torch.eye(dim).double()]
    W = torch.stack(columns, -1)  # (S, rotated, plain)
    return x * torch.einsum("hso,soi->hsi", _divided(R_y, y), W)
