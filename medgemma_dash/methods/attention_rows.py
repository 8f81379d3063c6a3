"""Attention of a few query rows: what the methods that need no gradient are made of."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.errors import MethodError
from medgemma_dash.methods.call import Call
from medgemma_dash.models.adapter import VisionLanguageModel
from medgemma_dash.models.attention import attention_weights


def global_layers(model: VisionLanguageModel) -> list[int]:
    """Indices of the global layers; raises MethodError for a model that has none."""
    found = [layer.index for layer in model.layout.layers if layer.is_global]
    if not found:
        raise MethodError(
            "This model has no global layer: all of them look through a sliding window. "
            "Choose other layers."
        )
    return found


def existing(number: int, count: int, what: str) -> int:
    """The number; raises MethodError when it is beyond those that the model has."""
    if number >= count:
        raise MethodError(
            f"This model has no {what} {number}. Allowed: 0 to {count - 1}, counted from 0."
        )
    return number


def weighted_attention(
    call: Call[Any],
    layer_weights: Mapping[int, float],
    rows: Sequence[int],
    *,
    heads: str | int = "mean",
) -> Float[Tensor, "rows sequence"]:
    """Attention of these query rows, summed over layers by weight.

    heads: how the heads of a layer are combined, "mean" or "max", or the one that is taken alone.
    """
    places = torch.tensor(rows, device=call.device)
    total = torch.zeros(len(rows), call.replay.sequence, device=call.device)
    records = call.replay.attention_records(layer_weights)
    for weight, record in zip(layer_weights.values(), records, strict=True):
        call.at()
        A = attention_weights(record, places)
        if isinstance(heads, int):
            total += weight * A[heads]
        else:
            total += weight * (A.amax(0) if heads == "max" else A.mean(0))
    return total
