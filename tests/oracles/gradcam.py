"""Grad-CAM by autograd through the hand-written float64 tower and decoder, channel by channel."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward
from tests.oracles.siglip_float64 import TowerForward, pool

Terms = Sequence[tuple[int, int, float]]  # (predicting position, token id, weight)


def gradcam(
    tower: TowerForward,
    forward: FullForward,
    image_span: tuple[int, int],
    terms: Terms,
    layer: int,
    *,
    log_probability: bool = False,
) -> tuple[Tensor, float]:
    """The row, and the largest sum of |alpha_k A_ik| over channels, before signs cancel.

    `forward` is the decoder's pass over the tower's own soft tokens.
    """
    scores = forward.logits.log_softmax(-1) if log_probability else forward.logits
    z = sum(weight * scores[row, token] for row, token, weight in terms)
    (by_embeddings,) = torch.autograd.grad(z, forward.embeddings, retain_graph=True)
    start, stop = image_span
    A = tower.layers[layer]
    (dA,) = torch.autograd.grad(tower.soft_tokens, A, by_embeddings[start:stop], retain_graph=True)
    heat = torch.zeros(len(A), dtype=torch.float64)
    amount = torch.zeros(len(A), dtype=torch.float64)
    for k in range(A.shape[1]):
        alpha = sum(float(g) for g in dA[:, k]) / len(A)
        heat += alpha * A[:, k].detach()
        amount += abs(alpha) * A[:, k].detach().abs()
    row = torch.zeros(len(forward.logits), dtype=torch.float64)
    row[start:stop] = pool(heat.clamp_min(0), int((stop - start) ** 0.5))
    return row, float(amount.max())
