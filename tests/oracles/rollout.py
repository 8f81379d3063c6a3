"""Attention rollout as the product of full matrices.

Abnar, Zuidema, ACL 2020: the layer's matrix is 0.5 A + 0.5 I, rows summing to one, and the
rollout of layer l is that matrix times the rollout of the layer below.
"""

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward


def rollout(forward: FullForward, predicting: int) -> Tensor:
    """Row p-1 of the product, (S,), without its own entry."""
    identity = torch.eye(len(forward.logits), dtype=torch.float64)
    product = identity
    for A in forward.attentions:
        layer = 0.5 * A.detach().mean(0) + 0.5 * identity
        product = (layer / layer.sum(-1, keepdim=True)) @ product
    row = product[predicting].clone()
    row[predicting] = 0
    return row
