"""Input times gradient by autograd through the hand-written decoder, in float64."""

from collections.abc import Sequence

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward

Terms = Sequence[tuple[int, int, float]]  # (predicting position, token id, weight)


def input_x_gradient(forward: FullForward, terms: Terms) -> Tensor:
    """sum_d h_id dz/dh_id; zero at the predicting positions."""
    relevance = products(forward, terms).sum(-1)
    relevance[[row for row, _, _ in terms]] = 0
    return relevance


def products(forward: FullForward, terms: Terms) -> Tensor:
    """h_id dz/dh_id, (S, hidden)."""
    z = sum(weight * forward.logits[row, token] for row, token, weight in terms)
    (g,) = torch.autograd.grad(z, forward.embeddings, retain_graph=True)
    return forward.embeddings.detach() * g
