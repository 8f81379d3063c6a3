"""Integrated gradients node by node, each a new pass of the hand-written float64 decoder.

The blurred baseline is made with a dense matrix, one row per output pixel.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import decode

Terms = Sequence[tuple[int, int, float]]  # (predicting position, token id, weight)


def integrated_gradients(
    hf_model, input_ids, features: Tensor, baseline: Tensor, terms: Terms, steps: int
) -> tuple[Tensor, float]:
    """The row, and its gap: what it sums to less z(features) - z(baseline)."""
    features, baseline = features.double(), baseline.double()
    is_image = torch.tensor(input_ids) == hf_model.config.image_token_id
    mean_gradient = torch.zeros_like(features)
    for k in range(1, steps + 1):
        position = (k - 0.5) / steps
        forward = decode(hf_model, input_ids, baseline + position * (features - baseline))
        (g,) = torch.autograd.grad(_z(forward.logits, terms), forward.embeddings)
        mean_gradient += g[is_image] / steps
    row = torch.zeros(len(is_image), dtype=torch.float64)
    row[is_image] = ((features - baseline) * mean_gradient).sum(-1)
    ends = [_z(decode(hf_model, input_ids, x).logits, terms).item() for x in (features, baseline)]
    return row, float(row.sum()) - (ends[0] - ends[1])


def blurred(pixel_values: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of (1, 3, height, width), cut off at four sigma, mirrored at the border."""
    across, down = (blur_matrix(size, sigma) for size in pixel_values.shape[:1:-1])
    return down @ pixel_values.double() @ across.T


def blur_matrix(size: int, sigma: float) -> Tensor:
    """Row i holds the weights of the pixels that make pixel i."""
    reach = round(4 * sigma)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    for i in range(size):
        for offset in range(-reach, reach + 1):
            j = (i + offset) % (2 * size)
            matrix[i, min(j, 2 * size - 1 - j)] += math.exp(-(offset**2) / (2 * sigma**2))
    return matrix / matrix.sum(1, keepdim=True)


def _z(logits: Tensor, terms: Terms) -> Tensor:
    return sum(weight * logits[row, token] for row, token, weight in terms)
