"""Fused attention in the forward pass, and what it leaves behind for a backward pass.

No attention map is ever stored: A is recomputed from q, k and the mask where it is wanted.
Notation: A = softmax(q k^T * scaling + mask), O = A v, dX = gradient of the target by X.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from medgemma_dash.models.attention_mask import AttentionMask

REPLAY_ATTENTION = "medgemma_dash_replay"


@dataclass
class AttentionRecord:
    """What one layer's attention saw and gave; q, k, v carry the graph back to its input."""

    q: Float[Tensor, "1 query_heads sequence head_dim"]
    k: Float[Tensor, "1 key_value_heads sequence head_dim"]
    v: Float[Tensor, "1 key_value_heads sequence head_dim"]
    output: Float[Tensor, "1 sequence query_heads head_dim"]
    mask: AttentionMask
    scaling: float


class AttentionTape:
    """Collects one record per attention call; handed through the forward pass as an argument."""

    def __init__(self) -> None:
        self.records: list[AttentionRecord] = []
        self._masks: dict[Tensor | None, AttentionMask] = {}

    def attend(
        self,
        module: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        scale: float,
    ) -> Tensor:
        """Fused SDPA whose output is a new leaf: the graph is cut here.

        `streaming_backward` is the way from the output's gradient to q, k and v.
        """
        with torch.no_grad():
            output = torch.nn.functional.scaled_dot_product_attention(
                query,
                key.repeat_interleave(module.num_key_value_groups, dim=1),
                value.repeat_interleave(module.num_key_value_groups, dim=1),
                attn_mask=mask,
                is_causal=mask is None,
                scale=scale,
            )
        leaf = output.transpose(1, 2).contiguous().requires_grad_(torch.is_grad_enabled())
        self.records.append(
            AttentionRecord(query, key, value, leaf, self._mask(mask, query), scale)
        )
        return leaf

    def _mask(self, mask: Tensor | None, query: Tensor) -> AttentionMask:
        # Layers are given the same one or two tensors; what is worked out of them is shared.
        if mask not in self._masks:
            self._masks[mask] = (
                AttentionMask.causal(query.shape[2], query.device)
                if mask is None
                else AttentionMask(mask[0, 0])
            )
        return self._masks[mask]


class KnownAttention:
    """Stands in for attention that was computed before: gives back its rows, as a leaf.

    With it a layer runs on a few rows alone, since all but its attention is row by row.
    """

    def __init__(self, output: Float[Tensor, "1 rows query_heads head_dim"]) -> None:
        self.output = output.detach().clone().requires_grad_()

    def attend(self, *_: Any) -> Tensor:
        """The known output."""
        return self.output


def replay_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    tape: AttentionTape | KnownAttention,
    **_: Any,
) -> tuple[Tensor, None]:
    """Transformers' attention interface: what the tape that came with the call makes of it."""
    return tape.attend(module, query, key, value, attention_mask, scaling), None


AttentionInterface.register(REPLAY_ATTENTION, replay_attention)
AttentionMaskInterface.register(REPLAY_ATTENTION, sdpa_mask)


def attention_weights(
    record: AttentionRecord, rows: Tensor | slice
) -> Float[Tensor, "query_heads rows sequence"]:
    """Float32 attention of the given query rows, recomputed from the recorded q and k."""
    with torch.no_grad():
        q = heads_first(record.q, record.k.shape[1])[:, :, rows].float()
        scores = torch.einsum("kgrd,ksd->kgrs", q, record.k[0].float()) * record.scaling
        scores.masked_fill_(~record.mask.allowed[rows], -torch.inf)
        return scores.softmax(-1).flatten(0, 1)


def attention_gradients(
    record: AttentionRecord, rows: Tensor | slice, d_output: Float[Tensor, "rows query_heads dim"]
) -> Float[Tensor, "rows query_heads sequence"]:
    """Float32 dA = dO V^T of the given query rows; zero where a row may not look."""
    with torch.no_grad():
        v = record.v[0].float()
        dO = d_output.float().unflatten(1, (v.shape[0], -1))
        dA = torch.einsum("rkgd,ksd->rkgs", dO, v).flatten(1, 2)
        return dA.masked_fill_(~record.mask.allowed[rows].unsqueeze(1), 0)


def heads_first(q: Tensor, key_value_heads: int) -> Float[Tensor, "kv_heads groups sequence dim"]:
    """Group the query heads by the key/value head they share: head h uses h // groups."""
    return q[0].reshape(key_value_heads, -1, *q.shape[2:])
