"""The text-to-image block of the full attention matrices, row by row and head by head."""

import torch
from torch import Tensor

from tests.oracles.gemma3_float64 import FullForward


def text_to_image_attention(
    forward: FullForward,
    first_predicting: int,
    predicting: int,
    image_span: tuple[int, int],
    layers: str = "last",
    rows: str = "5",
) -> Tensor:
    """Mean over the last few predicting rows and the heads, (S,), zero off the image.

    first_predicting: the row that predicts the answer's first token.
    """
    weighted = [(1.0, -1)] if layers == "last" else [(1 / 6, -3), (2 / 6, -2), (3 / 6, -1)]
    if layers.isdigit():
        weighted = [(1.0, -1 - back) for back in range(int(layers))]
    weighted = [(w, layer) for w, layer in weighted if -layer <= len(forward.attentions)]
    total = sum(w for w, _ in weighted)
    most = predicting if rows == "all" else int(rows)
    earliest = max(first_predicting, predicting - most + 1)
    looking = list(range(earliest, predicting + 1))
    found = torch.zeros(len(forward.logits), dtype=torch.float64)
    for w, layer in weighted:
        A = forward.attentions[layer].detach()
        for head in A:
            for row in looking:
                for i in range(*image_span):
                    found[i] += w / total * head[row, i] / len(looking) / len(A)
    return found
