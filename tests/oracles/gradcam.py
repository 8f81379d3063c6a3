"""Grad-CAM by autograd through the hand-written float64 tower and decoder, channel by channel."""

from collections.abc import Sequence

import numpy as np
import torch

from tests.oracles.siglip_float64 import pool
from tests.oracles.target import terms_of, z_of

LAYERS = {"last": -1, "second to last": -2, "middle": 1, "first": 0}  # of three


def oracle(case, targets, options) -> np.ndarray:
    """Rows (targets, S), float64; the case's vision tower has three layers."""
    return np.stack([_row(case, target, options)[0] for target in targets])


def scale(case, targets, options) -> Sequence[float]:
    """The largest sum of |alpha_k A_ik| over channels, before signs cancel.

    The signed sum can be a fiftieth of it, with as many times the relative rounding: random towers
    have channels that cancel, and no float32 gradient would do better.
    """
    return [_row(case, target, options)[1] for target in targets]


def _row(case, target, options) -> tuple[np.ndarray, float]:
    assert len(case.towers[0].layers) == 3
    logits = case.seen_forward.logits
    if options.words == "sum of log-probabilities":
        logits = logits.log_softmax(-1)
    z = z_of(logits, terms_of(case.answer, target))
    (by_embeddings,) = torch.autograd.grad(z, case.seen_forward.embeddings, retain_graph=True)
    row, largest = np.zeros(len(logits)), 0.0
    for image, tower in zip(case.answer.images, case.towers, strict=True):
        A = tower.layers[LAYERS[options.layer]]
        g = by_embeddings[slice(*image.span)]
        (dA,) = torch.autograd.grad(tower.soft_tokens, A, g, retain_graph=True)
        heat = torch.zeros(len(A), dtype=torch.float64)
        amount = torch.zeros(len(A), dtype=torch.float64)
        for k in range(A.shape[1]):
            alpha = sum(float(g) for g in dA[:, k]) / len(A)
            heat += alpha * A[:, k].detach()
            amount += abs(alpha) * A[:, k].detach().abs()
        row[slice(*image.span)] = pool(heat.clamp_min(0), image.grid[0]).numpy()
        largest = max(largest, float(amount.max()))
    return row, largest
