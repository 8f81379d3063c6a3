"""One row of the relevance matrix, unrolled while the backward pass visits the layers.

Chefer, Gur, Wolf, "Generic Attention-model Explainability for Interpreting Bi-Modal and
Encoder-Decoder Transformers", ICCV 2021, equations 5 and 6, for one self-attention stream:
A_bar = mean_h (dA * A)^+, R <- R + A_bar R from R = I, first layer first. Row p-1 of the
product needs the last layer first: r <- r + r A_bar, which is the backward pass's order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.progress import Check
from medgemma_dash.methods.options import Option
from medgemma_dash.models.logit_target import LogitTarget
from medgemma_dash.models.replay import Replay

Heads = Literal["mean", "max", "gradient-weighted"]

HEADS = Option(
    "heads",
    "Heads",
    ("mean", "max", "gradient-weighted"),
    "How the heads of a layer are combined: their mean (the paper), their maximum, or their mean "
    "weighted by |dA|.",
)
SPAN = Option(
    "words",
    "Several words",
    ("mean of maps", "summed logits"),
    "A phrase is the mean of its tokens' maps, or one backward pass from the sum of their logits. "
    "The two differ, because negative gradients are cut off in between.",
)


@dataclass
class RowAfterLayer:
    """Folds one layer's A_bar into r, block by block.

    before: r behind the layer, (targets, S); after: r in front of it, filled by `visit`.
    """

    before: Float[Tensor, "targets sequence"]
    after: Float[Tensor, "targets sequence"]
    heads: Heads
    normalised: bool
    _by_head: Tensor | None = None
    _head_weight: Tensor | None = None

    def __post_init__(self) -> None:
        # Asked once per layer, not once per block.
        self._fed = self.before.cpu().numpy() != 0

    def visit(
        self, target: int, rows: slice, keys: slice, A: Tensor, dA_A: Tensor, dA: Tensor
    ) -> None:
        """Add r[rows] A_bar[rows, keys] to r[keys]."""
        weighted = self.heads == "gradient-weighted"
        if not weighted and not self._fed[target, rows].any():
            return
        positive = dA_A.clamp_min_(0)
        r = self.before[target, rows]
        if weighted:
            self._fold_by_head(target, r, keys, dA * (A > 0), positive)
        elif self.heads == "mean" and not self.normalised:
            # r A_bar without forming A_bar; head by head, since one float32 sum over all rows of
            # all heads is off by 1e-6, and 34 layers of that by 1e-4.
            by_head = torch.bmm(r.expand(len(positive), 1, -1), positive)
            self.after[target, keys].add_(by_head.sum(0)[0], alpha=1 / len(positive))
        else:
            A_bar = positive.amax(0) if self.heads == "max" else positive.mean(0)
            if self.normalised:
                A_bar, r = self._row_normalised(target, A_bar, r, rows)
            self.after[target, keys] += r @ A_bar

    def _row_normalised(
        self, target: int, A_bar: Tensor, r: Tensor, rows: slice
    ) -> tuple[Tensor, Tensor]:
        # Row i of the layer's matrix is (A_bar_i / sum A_bar_i + e_i) / 2; a row whose A_bar is
        # empty stays e_i. `after` began as `before`, so half of each full row leaves its place.
        total = A_bar.sum(-1, keepdim=True)
        full = total > 0
        share = torch.where(full.squeeze(-1), r / 2, torch.zeros_like(r))
        self.after[target, rows] -= share
        return A_bar / torch.where(full, total, torch.ones_like(total)), share

    def _fold_by_head(
        self, target: int, r: Tensor, keys: slice, dA: Tensor, positive: Tensor
    ) -> None:
        # A head's weight is its mean |dA| over the whole layer, so heads stay apart until `finish`.
        if self._by_head is None or self._head_weight is None:
            targets, sequence = self.after.shape
            self._by_head = self.after.new_zeros(targets, len(dA), sequence)
            self._head_weight = self.after.new_zeros(targets, len(dA))
        self._by_head[target, :, keys] += r @ positive
        self._head_weight[target] += dA.abs().sum((-1, -2))

    def finish(self) -> Float[Tensor, "targets sequence"]:
        """The row in front of the layer."""
        if self._by_head is not None and self._head_weight is not None:
            total = self._head_weight.sum(1, keepdim=True).clamp_min(
                torch.finfo(torch.float32).tiny
            )
            self.after += torch.einsum("th,thk->tk", self._head_weight / total, self._by_head)
        return self.after


def unroll(
    replay: Replay,
    logits: Sequence[LogitTarget],
    *,
    heads: Heads = "mean",
    normalised: bool = False,
    includes: Callable[[int], bool] = lambda _layer: True,
    check: Check | None = None,
) -> Float[Tensor, "targets sequence"]:
    """Relevance rows of the targets; `includes(layer index)` tells which layers are folded in."""
    r = torch.zeros(len(logits), replay.sequence, device=replay.final.device)
    for row, logit in zip(r, logits, strict=True):
        row[list(logit.rows)] = 1 / len(logit.rows)
    state = RowAfterLayer(r, r, heads, normalised)

    def visitor_for(layer: int) -> RowAfterLayer | None:
        nonlocal state
        if not includes(layer):
            return None
        r = state.finish()
        state = RowAfterLayer(r, r.clone(), heads, normalised)
        return state

    folded = (layer for layer in range(len(replay.pieces)) if includes(layer))
    replay.show_attention(logits, visitor_for, check, lowest=next(folded, 0))
    return state.finish()
