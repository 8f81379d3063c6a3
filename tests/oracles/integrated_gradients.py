"""Integrated gradients node by node, each a new pass of the hand-written float64 decoder.

The blurred baseline is made with a dense matrix, one row per output pixel.
"""

import math

import numpy as np
import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import decode
from tests.oracles.target import terms_of, z_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows (targets, S), float64."""
    return rows_and_gaps(case, targets, options)[0]


def rows_and_gaps(case, targets, options) -> tuple[np.ndarray, np.ndarray]:
    """The rows, and for each what it sums to less z(features) - z(baseline)."""
    features, baseline = case.features.double(), baseline_of(case, options.baseline).double()
    terms = [terms_of(case.answer, target) for target in targets]
    ids, hf_model = case.answer.input_ids, case.model.hf_model
    means = torch.zeros(len(targets), *features.shape, dtype=torch.float64)
    for k in range(1, options.steps + 1):
        position = (k - 0.5) / options.steps
        forward = decode(hf_model, ids, baseline + position * (features - baseline))
        for mean, of_target in zip(means, terms, strict=True):
            z = z_of(forward.logits, of_target)
            (g,) = torch.autograd.grad(z, forward.embeddings, retain_graph=True)
            mean += g[case.cells] / options.steps
    rows = np.zeros((len(targets), len(ids)))
    rows[:, case.cells] = ((features - baseline) * means).sum(-1).numpy()
    ends = [decode(hf_model, ids, x).logits.detach() for x in (features, baseline)]
    changes = [float(z_of(ends[0], t) - z_of(ends[1], t)) for t in terms]
    return rows, rows.sum(1) - changes


def baseline_of(case, name: str) -> Tensor:
    """Where the path starts, (cells, hidden)."""
    if name == "zeros":
        return torch.zeros_like(case.features)
    found, first = [], 0
    for image, pixels in zip(case.answer.images, case.pixels, strict=True):
        count = image.grid[0] * image.grid[1]
        own = case.features[first : first + count]
        first += count
        if name == "mean token":
            found.append(own.mean(0).expand_as(own))
            continue
        soft = blurred(pixels[None], pixels.shape[-1] / image.grid[1]).float()
        with torch.no_grad():
            found.append(case.model.hf_model.get_image_features(soft).pooler_output[0])
    return torch.cat(found)


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
