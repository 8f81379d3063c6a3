"""Chefer relevance as it is defined: full S x S matrices, products of all layers, autograd's dA.

Chefer, Gur, Wolf, ICCV 2021, equations 5 and 6 for one self-attention stream:
A_bar_l = mean_h (dz/dA_l * A_l)^+, R <- R + A_bar_l R from R = I, first layer first.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from medgemma_dash.models.logit_target import LogitTerm
from tests.oracles.gemma3_float64 import FullForward
from tests.oracles.target import rows_of, z_of

Terms = Sequence[LogitTerm]


def chefer(forward: FullForward, terms: Terms, heads: str = "mean") -> Tensor:
    """R's row p-1 without its own entry; over several predicting rows, their mean."""
    R = torch.eye(len(forward.logits), dtype=torch.float64)
    for A_bar in layer_matrices(forward, terms, heads):
        R = R + A_bar @ R
    return predicting_row(R, terms)


def chained(
    forward: FullForward, terms: Terms, layers: Sequence[int], *, normalised: bool
) -> Tensor:
    """The same over some layers, the mean of heads; the gradient still runs through all of them.

    normalised: each A_bar row-normalised, the identity added, row-normalised again.
    """
    identity = torch.eye(len(forward.logits), dtype=torch.float64)
    R = identity
    matrices = layer_matrices(forward, terms, "mean")
    for layer in layers:
        if normalised:
            R = _rows_to_one(_rows_to_one(matrices[layer]) + identity) @ R
        else:
            R = R + matrices[layer] @ R
    return predicting_row(R, terms)


def layer_matrices(forward: FullForward, terms: Terms, heads: str) -> list[Tensor]:
    """A_bar of each layer, (S, S), first layer first."""
    z = z_of(forward.logits, terms)
    gradients = torch.autograd.grad(z, forward.attentions, retain_graph=True)
    matrices = []
    for A, dA, visible in zip(forward.attentions, gradients, forward.visible, strict=True):
        positive = (dA * A.detach()).clamp_min(0)
        if heads == "mean":
            matrices.append(positive.mean(0))
        elif heads == "max":
            matrices.append(positive.amax(0))
        elif heads == "gradient-weighted":
            w = (dA.abs() * visible).sum((1, 2))
            w = w / w.sum() if w.sum() > 0 else w
            matrices.append((w[:, None, None] * positive).sum(0))
        else:
            raise ValueError(heads)
    return matrices


def predicting_row(R: Tensor, terms: Terms) -> Tensor:
    """The mean of the predicting rows, self-relevance (the predicting entries) removed."""
    rows = rows_of(terms)
    relevance = R[rows].mean(0)
    relevance[rows] = 0
    return relevance


def _rows_to_one(matrix: Tensor) -> Tensor:
    total = matrix.sum(-1, keepdim=True)
    return torch.where(total > 0, matrix / total.where(total > 0, torch.ones(())), 0.0)
