"""Attention of a few query rows: what the methods that need no gradient are made of."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.methods.specification import Rows
from medgemma_dash.models.attention import attention_weights
from medgemma_dash.models.replay import Replay


def predicting_rows(answer: Answer, targets: Sequence[Target]) -> list[int]:
    """Position p-1 of each target, which is one token."""
    return [answer.tokens[target.token_indices[0]].position - 1 for target in targets]


def global_layers(replay: Replay) -> list[int]:
    """Indices of the global layers; raises MethodError for a model that has none."""
    found = [layer.index for layer in replay.model.layout.layers if layer.is_global]
    if not found:
        raise MethodError(
            "This model has no global layer: all of them look through a sliding window. "
            "Choose other layers."
        )
    return found


def existing(numbers: Sequence[int], count: int, what: str) -> list[int]:
    """The numbers; raises MethodError when one is beyond those that the model has."""
    if numbers[-1] >= count:
        raise MethodError(
            f"This model has no {what} {numbers[-1]}. Allowed: 0 to {count - 1}, counted from 0."
        )
    return list(numbers)


def weighted_attention(
    replay: Replay,
    layer_weights: Mapping[int, float],
    rows: Sequence[int],
    *,
    heads: str | int = "mean",
    check: Check | None = None,
) -> Float[Tensor, "rows sequence"]:
    """Attention of these query rows, summed over layers by weight.

    heads: how the heads of a layer are combined, "mean" or "max", or the one that is taken alone.
    """
    places = torch.tensor(rows, device=replay.final.device)
    total = torch.zeros(len(rows), replay.sequence, device=replay.final.device)
    records = replay.attention_records(layer_weights)
    for weight, record in zip(layer_weights.values(), records, strict=True):
        if check is not None:
            check()
        A = attention_weights(record, places)
        if isinstance(heads, int):
            total += weight * A[heads]
        else:
            total += weight * (A.amax(0) if heads == "max" else A.mean(0))
    return total


def before_prediction(
    relevance: Float[Tensor, "targets sequence"], predicting: Sequence[int]
) -> Rows:
    """The relevance, zero from each target's predicting position on (self-relevance included)."""
    for row, place in zip(relevance, predicting, strict=True):
        row[place:] = 0
    return Rows(relevance.cpu())
