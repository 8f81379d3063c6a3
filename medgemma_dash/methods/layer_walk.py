"""One Chefer backward pass with everything kept that it sees at the predicting position.

The Layers page and its figures are drawn from this: which layers and heads look at the image,
which of them move the logit, and how relevance gathers from the last layer to the first.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.methods.chefer_rules import RowAfterLayer
from medgemma_dash.models.attention import attention_weights
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.models.replay import Replay


@dataclass(frozen=True, eq=False)
class LayerWalk:
    """What each decoder layer, first layer first, holds at the predicting position.

    attention: A of every head in that row, float32 (L, H, S).
    gradient: dA of every head in that row, float32 (L, H, S), zero where the row may not look.
    weighted: (dA * A)^+ of every head in that row, float32 (L, H, S).
    gathered: the relevance row of the target after the layers from the last one down to this
        one have been folded in, float32 (L, S); `gathered[0]` is the Chefer row. Self-relevance
        is left out.
    """

    attention: Float[Tensor, "layers heads sequence"]
    gradient: Float[Tensor, "layers heads sequence"]
    weighted: Float[Tensor, "layers heads sequence"]
    gathered: Float[Tensor, "layers sequence"]


@dataclass
class _RowKeeper:
    """Folds a layer into r like Chefer, and keeps dA and (dA * A)^+ at one row."""

    fold: RowAfterLayer
    row: int
    gradient: Float[Tensor, "heads sequence"]
    weighted: Float[Tensor, "heads sequence"]

    def visit(
        self, target: int, rows: slice, keys: slice, A: Tensor, dA_A: Tensor, dA: Tensor
    ) -> None:
        """See `BlockVisitor.visit`."""
        if rows.start <= self.row < rows.stop:
            self.gradient[:, keys] = dA[:, self.row - rows.start]
            self.weighted[:, keys] = dA_A[:, self.row - rows.start].clamp_min(0)
        self.fold.visit(target, rows, keys, A, dA_A, dA)


def walk_layers(
    replay: Replay, logit: LogitTarget, check: Callable[[], None] | None = None
) -> LayerWalk:
    """Walk back from a token's logit, one less another, or a margin; the caller holds the lock.

    Raises ValueError for a target at several positions.
    """
    if len(logit.rows) != 1:
        raise ValueError(f"A walk starts at one position, not at {len(logit.rows)}.")
    row = logit.rows[0]
    device = replay.final.device
    layers = len(replay.pieces)
    heads = replay.model.layout.query_heads
    gradient, weighted = torch.zeros(2, layers, heads, replay.sequence, device=device)
    gathered = torch.zeros(layers, replay.sequence, device=device)
    start = torch.zeros(1, replay.sequence, device=device)
    start[0, row] = 1.0
    fold = RowAfterLayer(start, start, "mean", normalised=False)
    above: int | None = None

    def visitor_for(layer: int) -> _RowKeeper:
        nonlocal fold, above
        before = fold.finish()
        if above is not None:
            gathered[above] = before[0]
        above = layer
        fold = RowAfterLayer(before, before.clone(), "mean", normalised=False)
        return _RowKeeper(fold, row, gradient[layer], weighted[layer])

    replay.show_attention([logit], visitor_for, check)
    gathered[0] = fold.finish()[0]
    gathered[:, row] = 0
    place = torch.tensor([row], device=device)
    attention = torch.zeros_like(weighted)
    for layer, record in enumerate(replay.attention_records()):
        attention[layer] = attention_weights(record, place)[:, 0]
        gradient[layer].masked_fill_(~record.mask.allowed[row], 0)
    return LayerWalk(*(kept.cpu() for kept in (attention, gradient, weighted, gathered)))
