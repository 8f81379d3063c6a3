"""One row of the full attention matrices, averaged over heads and chosen layers."""

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward


def direct_attention(
    forward: FullForward, predicting: int, row: str = "predicting", layers: str = "all"
) -> Tensor:
    """Row p-1 or p, (S,), zero from p-1 on. layers: by name, or typed, such as 3,5-8."""
    chosen = [
        A.detach()
        for index, A in enumerate(forward.attentions)
        if layers == "all"
        or (layers == "global" and forward.is_global[index])
        or (layers == "last" and index == len(forward.attentions) - 1)
        or index in numbers(layers)
    ]
    mean = torch.stack(chosen).mean((0, 1))
    found = mean[predicting + 1 if row == "own" else predicting].clone()
    found[predicting:] = 0
    return found


def numbers(text: str) -> list[int]:
    """3,5-8 as 3, 5, 6, 7, 8; nothing for a name."""
    found = []
    for part in text.split(","):
        ends = part.split("-")
        if ends[0].isdigit():
            found += list(range(int(ends[0]), int(ends[-1]) + 1))
    return found
