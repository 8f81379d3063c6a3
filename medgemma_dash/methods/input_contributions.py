"""What each input contributes to the logit: gradient times input, shared by linear methods."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.methods.specification import Control
from medgemma_dash.models.replay import LogitTarget

LINEAR_SPAN = Control(
    "words",
    "Several words",
    ("mean of maps", "summed logits"),
    "A phrase is the mean of its tokens' maps, or one backward pass from the sum of their logits. "
    "This method is linear in the logit: up to the last step before its first word the sum is the "
    "mean times the number of tokens, in one pass.",
)


def contributions(
    h: Float[Tensor, "sequence hidden"],
    gradients: Float[Tensor, "targets sequence hidden"],
) -> Float[Tensor, "targets sequence"]:
    """sum_d h_id g_id of every position, float32."""
    h = h.float()
    return torch.stack([(h * g.float()).sum(-1) for g in gradients])


def without_self(
    rows: Float[Tensor, "targets sequence"], logits: Sequence[LogitTarget]
) -> Float[Tensor, "targets sequence"]:
    """The rows on the processor; predicting positions and all that follows the last are zero."""
    rows = rows.cpu()
    for row, logit in zip(rows, logits, strict=True):
        row[list(logit.rows)] = 0
        row[logit.rows[-1] :] = 0
    return rows
