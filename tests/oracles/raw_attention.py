"""One row of one layer's full attention matrix."""

from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward


def raw_attention(
    forward: FullForward, predicting: int, layer: str = "last", heads: str = "mean"
) -> Tensor:
    """Row p-1, (S,), of the chosen layer, heads combined; its own entry removed."""
    count = len(forward.attentions)
    if layer == "last global":
        index = max(i for i in range(count) if forward.is_global[i])
    elif layer.isdigit():
        index = int(layer)
    else:
        index = {"last": -1, "middle": count // 2, "first": 0}[layer]
    A = forward.attentions[index].detach()
    if heads.isdigit():
        A = A[int(heads) : int(heads) + 1]
    row = (A.max(0).values if heads == "max" else A.sum(0) / len(A))[predicting].clone()
    row[predicting] = 0
    return row
