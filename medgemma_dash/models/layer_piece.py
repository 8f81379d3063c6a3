"""One decoder layer of a replay, cut before and behind its attention."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.attention import AttentionRecord, AttentionTape, KnownAttention
from medgemma_dash.models.streaming_backward import (
    BlockVisitor,
    Scratch,
    show_blocks,
    streaming_backward,
)


@dataclass(frozen=True)
class LayerTail:
    """A layer at a few rows, its attention known: the output hangs on the two leaves."""

    input: Float[Tensor, "1 rows hidden"]
    attention: Float[Tensor, "1 rows query_heads head_dim"]
    output: Float[Tensor, "1 rows hidden"]


@dataclass
class LayerPiece:
    """One decoder layer of the replay; without a `record` it is recomputed."""

    layer: Any
    input: Float[Tensor, "1 sequence hidden"]
    arguments: dict[str, Any]
    record: AttentionRecord | None = None
    output: Tensor | None = None

    def materialised(self, stop: int) -> "LayerPiece":
        """The layer with its graph; a recomputed one only as far as position `stop`."""
        if self.record is not None:
            return self
        tape = AttentionTape()
        leaf = self.input[:, :stop].detach().requires_grad_()
        arguments = {name: _prefix(value, stop) for name, value in self.arguments.items()}
        with torch.enable_grad():
            output = self.layer(leaf, **(arguments | {"tape": tape}))
        return LayerPiece(self.layer, leaf, arguments, tape.records[0], output)

    def recorded(self) -> AttentionRecord:
        """What the layer's attention saw and gave; a recomputed record has no graph."""
        if self.record is not None:
            return self.record
        tape = AttentionTape()
        with torch.no_grad():
            self.layer(self.input, **(self.arguments | {"tape": tape}))
        return tape.records[0]

    def at_rows(self, rows: list[int], record: AttentionRecord) -> LayerTail:
        """The layer behind its recorded attention, run on these rows alone, with its graph."""
        known = KnownAttention(record.output[:, rows])
        leaf = self.input[:, rows].detach().requires_grad_()
        arguments = {name: _rows_of(value, rows) for name, value in self.arguments.items()}
        with torch.enable_grad():
            output = self.layer(leaf, **(arguments | {"tape": known}))
        return LayerTail(leaf, known.output, output)

    def before_attention(self, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """From the layer's output, against the flow, to its input and its attention's output."""
        assert self.record is not None  # noqa: S101  materialised pieces have a graph
        inputs = (self.input, self.record.output)
        residual, d_attention = _gradients(self.output, inputs, gradient)
        return residual, d_attention

    def behind_attention(
        self,
        d_attention: Tensor,
        visitor: BlockVisitor | None,
        carrying: Sequence[int],
        scratch: Scratch,
    ) -> Tensor:
        """From the attention's output, through it and q, k, v, to the layer's input.

        carrying: the rows where `d_attention` is not zero, ascending.
        """
        assert self.record is not None  # noqa: S101  materialised pieces have a graph
        d_projections = streaming_backward(self.record, d_attention, visitor, carrying, scratch)
        projections = (self.record.q, self.record.k, self.record.v)
        return _gradients(projections, (self.input,), d_projections)[0]

    def show_attention(
        self,
        d_attention: Tensor,
        visitor: BlockVisitor,
        carrying: Sequence[int],
        scratch: Scratch,
    ) -> None:
        """Let the visitor see the attention, and go no further."""
        assert self.record is not None  # noqa: S101  materialised pieces have a graph
        show_blocks(self.record, d_attention, visitor, carrying, scratch)


def _rows_of(value: Any, rows: list[int]) -> Any:
    """Pick rows of a layer's argument; its mask is of no use to attention that is known."""
    if isinstance(value, tuple):
        return tuple(_rows_of(part, rows) for part in value)
    if not isinstance(value, Tensor):
        return value
    return None if value.ndim == 4 else value[:, rows]


def _prefix(value: Any, stop: int) -> Any:
    """Cut a layer's argument (mask, rotary tables, positions) to the first `stop` positions."""
    if isinstance(value, tuple):
        return tuple(_prefix(part, stop) for part in value)
    if not isinstance(value, Tensor):
        return value
    if value.ndim == 4:
        return value[:, :, :stop, :stop]
    return value[:, :stop]


def _gradients(outputs: Any, inputs: tuple[Tensor, ...], gradients: Any) -> tuple[Tensor, ...]:
    """`torch.autograd.grad` over a leading targets axis; the graph stays for the next click."""
    first = gradients if isinstance(gradients, Tensor) else gradients[0]
    if first.shape[0] > 1:
        return torch.autograd.grad(
            outputs, inputs, gradients, retain_graph=True, is_grads_batched=True
        )
    single = gradients[0] if isinstance(gradients, Tensor) else tuple(g[0] for g in gradients)
    found = torch.autograd.grad(outputs, inputs, single, retain_graph=True)
    return tuple(gradient.unsqueeze(0) for gradient in found)
