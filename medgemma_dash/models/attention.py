"""Fused attention forward, and a backward pass that shows each block of dA * A once.

No attention map is ever stored: the backward pass recomputes A from q, k and the mask in
blocks of query rows, hands A and dA of the block to a visitor, and returns dq, dk and dv.
Notation: A = softmax(q k^T * scaling + mask), O = A v, dX = gradient of the target by X.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from medgemma_dash.models.row_reach import RowReach, row_reach

REPLAY_ATTENTION = "medgemma_dash_replay"

# Rows per block. On a processor a block of all heads (8 heads x 64 rows x 400 keys x 4 bytes
# = 0.8 MB) should stay in the second-level cache; on a GPU few large kernels win.
PROCESSOR_BLOCK_ROWS = 64
GPU_BLOCK_ROWS = 1024


@dataclass
class AttentionRecord:
    """What one layer's attention saw and gave; q, k, v carry the graph back to its input."""

    q: Float[Tensor, "1 query_heads sequence head_dim"]
    k: Float[Tensor, "1 key_value_heads sequence head_dim"]
    v: Float[Tensor, "1 key_value_heads sequence head_dim"]
    output: Float[Tensor, "1 sequence query_heads head_dim"]
    mask: Bool[Tensor, "1 1 sequence sequence"] | None
    scaling: float

    @property
    def allowed(self) -> Bool[Tensor, "sequence sequence"]:
        """Which keys (columns) each row may look at."""
        if self.mask is not None:
            return self.mask[0, 0]
        sequence = self.q.shape[2]
        return torch.ones(sequence, sequence, dtype=torch.bool, device=self.q.device).tril()

    @cached_property
    def reach(self) -> RowReach:
        """The same for each row in three numbers, worked out once for all clicks."""
        return row_reach(self.allowed)


class AttentionTape:
    """Collects one record per attention call; handed through the forward pass as an argument."""

    def __init__(self) -> None:
        self.records: list[AttentionRecord] = []

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
        self.records.append(AttentionRecord(query, key, value, leaf, mask, scale))
        return leaf


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


@runtime_checkable
class BlockVisitor(Protocol):
    """Sees every block of one layer's attention during the backward pass, rows ascending."""

    @property
    def needs_gradient(self) -> bool:
        """Whether `visit` is to be given dA, which costs a copy."""
        ...

    def visit(
        self,
        rows: slice,
        keys: slice,
        A: Float[Tensor, "heads rows keys"],
        dA_A: Float[Tensor, "targets heads rows keys"],
        dA: Float[Tensor, "targets heads rows keys"] | None,
    ) -> None:
        """Must not change or keep its arguments; keys outside the slice have A = 0."""
        ...


def block_rows(device: torch.device) -> int:
    """How many query rows to work on at once."""
    return PROCESSOR_BLOCK_ROWS if device.type == "cpu" else GPU_BLOCK_ROWS


def attention_weights(
    record: AttentionRecord, rows: Tensor | slice
) -> Float[Tensor, "query_heads rows sequence"]:
    """Float32 attention of the given query rows, recomputed from the recorded q and k."""
    with torch.no_grad():
        q = _heads_first(record.q, record.k.shape[1])[:, :, rows].float()
        scores = torch.einsum("kgrd,ksd->kgrs", q, record.k[0].float()) * record.scaling
        scores.masked_fill_(~record.allowed[rows], -torch.inf)
        return scores.softmax(-1).flatten(0, 1)


def attention_gradients(
    record: AttentionRecord, rows: Tensor | slice, d_output: Float[Tensor, "rows query_heads dim"]
) -> Float[Tensor, "rows query_heads sequence"]:
    """Float32 dA = dO V^T of the given query rows; zero where a row may not look."""
    with torch.no_grad():
        v = record.v[0].float()
        dO = d_output.float().unflatten(1, (v.shape[0], -1))
        dA = torch.einsum("rkgd,ksd->rkgs", dO, v).flatten(1, 2)
        return dA.masked_fill_(~record.allowed[rows].unsqueeze(1), 0)


def streaming_backward(
    record: AttentionRecord,
    d_output: Float[Tensor, "targets 1 sequence query_heads head_dim"],
    visitor: BlockVisitor | None,
    row_stop: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients (targets, ...) by q, k and v; every block of A and dA * A goes to the visitor.

    Rows from `row_stop` on have no gradient and are skipped. All arithmetic is float32.
    """
    with torch.no_grad():
        targets = d_output.shape[0]
        key_value_heads, sequence, head_dim = record.k.shape[1:]
        q = _heads_first(record.q, key_value_heads).float() * record.scaling
        groups = q.shape[1]
        k, v = record.k[0].float(), record.v[0].float()
        dO = (
            d_output[:, 0]
            .reshape(targets, sequence, key_value_heads, groups, head_dim)
            .permute(0, 2, 3, 1, 4)
            .float()
        )
        dq = torch.zeros_like(q).expand(targets, *q.shape).contiguous()
        dk = k.new_zeros(targets, *k.shape)
        dv = v.new_zeros(targets, *v.shape)
        # rowsum(A * dA) = rowsum(dO * O), which needs no pass over A (Dao et al. 2022, eq. 4).
        O = _heads_first(record.output.transpose(1, 2), key_value_heads).float()  # noqa: E741
        D = (dO * O).sum(-1, keepdim=True)
        active = dO.abs().amax(dim=(0, 1, 2, 4)) > 0
        for rows, keys, mask in _blocks(record, active, row_stop):
            size = rows.stop - rows.start
            # Query heads of one key/value head are stacked as rows of one matrix product.
            q_rows = q[:, :, rows].reshape(key_value_heads, groups * size, head_dim)
            A = (q_rows @ k[:, keys].mT).view(key_value_heads, groups, size, -1)
            if mask is not None:
                A.masked_fill_(mask, -torch.inf)
            A = torch.softmax(A, -1, out=A).view(key_value_heads, groups * size, -1)
            dO_rows = dO[:, :, :, rows].reshape(targets, key_value_heads, groups * size, head_dim)
            dv[:, :, keys] += A.mT @ dO_rows
            dA = dO_rows @ v[:, keys].mT
            shape = (key_value_heads * groups, size, -1)
            kept = None
            if visitor is not None and visitor.needs_gradient:
                kept = dA.clone().view(targets, *shape)
            dA_A = dA.mul_(A)
            if visitor is not None:
                visitor.visit(rows, keys, A.view(shape), dA_A.view(targets, *shape), kept)
            # Softmax backward: dS = A * dA - A * rowsum(A * dA), in place over A * dA.
            D_rows = D[:, :, :, rows].reshape(targets, key_value_heads, groups * size, 1)
            dS = dA_A.addcmul_(A, D_rows, value=-1)
            dq[:, :, :, rows] = (dS @ k[:, keys]).view(
                targets, key_value_heads, groups, size, head_dim
            )
            dk[:, :, keys] += dS.mT @ q_rows
        dq = (dq * record.scaling).view(targets, 1, -1, sequence, head_dim)
        return (
            dq.to(record.q.dtype),
            dk.unsqueeze(1).to(record.k.dtype),
            dv.unsqueeze(1).to(record.v.dtype),
        )


def _heads_first(q: Tensor, key_value_heads: int) -> Float[Tensor, "kv_heads groups sequence dim"]:
    """Group the query heads by the key/value head they share: head h uses h // groups."""
    return q[0].reshape(key_value_heads, -1, *q.shape[2:])


def _blocks(
    record: AttentionRecord, active: Bool[Tensor, " sequence"], row_stop: int
) -> Iterator[tuple[slice, slice, Bool[Tensor, "rows keys"] | None]]:
    """Blocks of query rows that carry gradient, with the keys they see and, where not all of
    these are seen by all of the rows, the places to mask.
    """
    step, reach = block_rows(record.q.device), record.reach
    places = active[:row_stop].cpu().numpy().nonzero()[0]
    for start in range(0, row_stop, step):
        inside = places[np.searchsorted(places, start) : np.searchsorted(places, start + step)]
        if not len(inside):
            continue
        rows = slice(int(inside[0]), int(inside[-1]) + 1)
        keys = slice(int(reach.first[rows].min()), int(reach.stop[rows].max()))
        all_seen = bool((reach.seen[rows] == keys.stop - keys.start).all())
        yield rows, keys, None if all_seen else ~record.allowed[rows, keys]
