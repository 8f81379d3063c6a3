"""Attention's backward pass, which shows each block of A, dA and dA * A once.

It recomputes A from q, k and the mask in blocks of query rows, hands each target's block to a
visitor, and returns dq, dk and dv. Notation as in `attention`; dS = gradient by the scores.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.attention import AttentionRecord, heads_first

# A block of all heads should stay in a processor's caches: more than 128 rows gain nothing, and
# fewer than 64 make the products slow. On a GPU few large kernels win.
PROCESSOR_BLOCK_BYTES = 1536 << 10
FEWEST_PROCESSOR_ROWS, MOST_PROCESSOR_ROWS = 64, 128
GPU_BLOCK_ROWS = 1024


@runtime_checkable
class BlockVisitor(Protocol):
    """Sees every block of one layer's attention during the backward pass, rows ascending."""

    def visit(
        self,
        target: int,
        rows: slice,
        keys: slice,
        A: Float[Tensor, "heads rows keys"],
        dA_A: Float[Tensor, "heads rows keys"],
        dA: Float[Tensor, "heads rows keys"],
    ) -> None:
        """One target's block; keys outside the slice have A = 0.

        May change `dA_A`, not the others, and keep none: their memory is used again. Where a row
        may not look, A and dA_A are 0 and dA is not.
        """
        ...


class Scratch:
    """Memory for blocks, used again by every layer of a walk: fresh pages cost time."""

    def __init__(self) -> None:
        self._held: list[Tensor] = []

    def take(self, count: int, most: int, device: torch.device) -> list[Float[Tensor, " size"]]:
        """The same `count` float32 tensors of at least `most` elements on every call."""
        if len(self._held) < count or self._held[0].numel() < most:
            self._held = [torch.empty(most, device=device) for _ in range(count)]
        return self._held


def block_rows(q: Float[Tensor, "1 query_heads sequence head_dim"]) -> int:
    """How many query rows to work on at once."""
    if q.device.type != "cpu":
        return GPU_BLOCK_ROWS
    fitting = PROCESSOR_BLOCK_BYTES // (4 * q.shape[1] * q.shape[2])
    return max(FEWEST_PROCESSOR_ROWS, min(MOST_PROCESSOR_ROWS, fitting))


def show_blocks(
    record: AttentionRecord,
    d_output: Float[Tensor, "targets 1 sequence query_heads head_dim"],
    visitor: BlockVisitor,
    carrying: Sequence[int],
    scratch: Scratch,
) -> None:
    """`streaming_backward` for the visitor's sake alone, at half its cost."""
    with torch.no_grad():
        layer = _Layer(record, d_output, scratch)
        for block in layer.blocks(carrying):
            for target in range(len(d_output)):
                layer.show(block, target, visitor)


def streaming_backward(
    record: AttentionRecord,
    d_output: Float[Tensor, "targets 1 sequence query_heads head_dim"],
    visitor: BlockVisitor | None,
    carrying: Sequence[int],
    scratch: Scratch,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients (targets, ...) by q, k and v; every block goes to the visitor.

    carrying: the query rows whose output has a gradient, ascending; blocks hold these, and what
    lies between them. All arithmetic is float32.
    """
    with torch.no_grad():
        layer = _Layer(record, d_output, scratch)
        dq, dk, dv = (x.new_zeros(len(d_output), *x.shape) for x in (layer.q, layer.k, layer.v))
        for block in layer.blocks(carrying):
            for target in range(len(d_output)):
                dO, D = layer.show(block, target, visitor)
                # Softmax backward: dS = A * (dA - rowsum(A * dA)), in place over dA.
                dS = block.dA.sub_(D).mul_(block.A)
                d_block = dS @ block.k
                dq[target, :, :, block.rows] = d_block.unflatten(1, (layer.groups, -1))
                dk[target, :, block.keys].add_(dS.mT @ block.q)
                dv[target, :, block.keys].add_(block.A.mT @ dO)
        dq = dq.mul_(record.scaling).flatten(1, 2)
        return (
            dq.unsqueeze(1).to(record.q.dtype),
            dk.unsqueeze(1).to(record.k.dtype),
            dv.unsqueeze(1).to(record.v.dtype),
        )


@dataclass(frozen=True)
class _Block:
    """Some query rows of a layer, with the keys that they see.

    The query heads of one key/value head are stacked as rows of one matrix product: `stacked` is
    heads x rows of the block. A is filled; dA and dA_A are memory for each target in turn.
    """

    rows: slice
    keys: slice
    q: Float[Tensor, "kv_heads stacked dim"]
    k: Float[Tensor, "kv_heads keys dim"]
    v: Float[Tensor, "kv_heads keys dim"]
    A: Float[Tensor, "kv_heads stacked keys"]
    dA: Float[Tensor, "kv_heads stacked keys"]
    dA_A: Float[Tensor, "kv_heads stacked keys"]


class _Layer:
    """One layer's float32 tensors, q scaled, and its attention in blocks."""

    def __init__(self, record: AttentionRecord, d_output: Tensor, scratch: Scratch) -> None:
        key_value_heads, sequence, _ = record.k.shape[1:]
        self.q = heads_first(record.q, key_value_heads).float() * record.scaling
        self.k, self.v = record.k[0].float(), record.v[0].float()
        self.groups = self.q.shape[1]
        dO = d_output[:, 0].unflatten(2, (key_value_heads, self.groups))
        self.dO = dO.permute(0, 2, 3, 1, 4).float()
        self._mask = record.mask
        self._step = block_rows(record.q)
        most = record.q.shape[1] * min(self._step, sequence) * sequence
        self._memory = scratch.take(3, most, self.q.device)

    def blocks(self, carrying: Sequence[int]) -> Iterator[_Block]:
        """Blocks that hold these rows, ascending; a block is good until the next is asked for."""
        place = 0
        while place < len(carrying):
            start = carrying[place]
            place = bisect_left(carrying, start + self._step, place)
            yield self._block(slice(start, carrying[place - 1] + 1))

    def _block(self, rows: slice) -> _Block:
        seen = self._mask.seen_by(rows)
        q, k, v = self._stacked(self.q[:, :, rows]), self.k[:, seen.keys], self.v[:, seen.keys]
        shape = (*q.shape[:2], k.shape[1])
        A, dA, dA_A = (held[: prod(shape)].view(shape) for held in self._memory)
        torch.bmm(q, k.mT, out=A)
        if seen.bias is not None:
            self._by_head(A).add_(seen.bias)
        torch.softmax(A, -1, out=A)
        return _Block(rows, seen.keys, q, k, v, A, dA, dA_A)

    def show(
        self, block: _Block, target: int, visitor: BlockVisitor | None
    ) -> tuple[Tensor, Tensor]:
        """Fill in the target's dA and dA * A; returns its dO of the block and rowsum(A * dA)."""
        dO = self._stacked(self.dO[target, :, :, block.rows])
        torch.bmm(dO, block.v.mT, out=block.dA)
        torch.mul(block.dA, block.A, out=block.dA_A)
        D = block.dA_A.sum(-1, keepdim=True)
        if visitor is not None:
            shown = (self._by_head(part) for part in (block.A, block.dA_A, block.dA))
            visitor.visit(target, block.rows, block.keys, *shown)
        return dO, D

    def _stacked(self, x: Float[Tensor, "kv_heads groups rows dim"]) -> Tensor:
        return x.reshape(len(x), -1, x.shape[-1])

    def _by_head(self, x: Float[Tensor, "kv_heads stacked keys"]) -> Tensor:
        return x.view(len(x) * self.groups, -1, x.shape[-1])
