"""What each input contributes to the logit: gradient times input, shared by linear methods."""

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.methods.options import Option

LINEAR_SPAN = Option(
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
