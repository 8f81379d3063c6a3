"""Occlusion by brute force: one whole pass of the float64 decoder per block and no batch."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import decode

Terms = Sequence[tuple[int, int, float]]  # (predicting position, token id, weight)


def occlusion(
    hf_model, input_ids, features: Tensor, grid: tuple[int, int], terms: Terms, side: int = 1
) -> Tensor:
    """Every cell gets the drop in z of its block, divided by the block's number of cells."""
    features = features.double()
    z = _z(hf_model, input_ids, features, terms)
    row = torch.zeros(len(input_ids), dtype=torch.float64)
    span = (torch.tensor(input_ids) == hf_model.config.image_token_id).nonzero().flatten()
    rows, columns = grid
    for top in range(0, rows, side):
        for left in range(0, columns, side):
            cells = [
                i * columns + j
                for i in range(top, min(top + side, rows))
                for j in range(left, min(left + side, columns))
            ]
            changed = features.clone()
            changed[cells] = features.mean(0)
            drop = z - _z(hf_model, input_ids, changed, terms)
            row[span[cells]] = drop / len(cells)
    return row


def _z(hf_model, input_ids, features: Tensor, terms: Terms) -> float:
    logits = decode(hf_model, input_ids, features).logits.detach()
    return float(sum(weight * logits[row, token] for row, token, weight in terms))
