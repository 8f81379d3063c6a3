"""Lengths of the last vision layer's outputs, patch by patch, in float64."""

import torch
from torch import Tensor

from tests.oracles.siglip_float64 import TowerForward, pool


def activation_norm(tower: TowerForward, image_span: tuple[int, int], sequence: int) -> Tensor:
    """The row, the same for every token."""
    lengths = torch.stack([(patch**2).sum().sqrt() for patch in tower.layers[-1].detach()])
    start, stop = image_span
    row = torch.zeros(sequence, dtype=torch.float64)
    row[start:stop] = pool(lengths, int((stop - start) ** 0.5))
    return row
