"""One row of the full attention matrices, averaged over heads and chosen layers."""

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward


def direct_attention(
    forward: FullForward, predicting: int, row: str = "predicting", layers: str = "all"
) -> Tensor:
    """Row p-1 or p, (S,), zero from p-1 on."""
    chosen = [
        A.detach()
        for A, is_global in zip(forward.attentions, forward.is_global, strict=True)
        if layers != "global" or is_global
    ]
    if layers == "last":
        chosen = chosen[-1:]
    mean = torch.stack(chosen).mean((0, 1))
    found = mean[predicting + 1 if row == "own" else predicting].clone()
    found[predicting:] = 0
    return found
