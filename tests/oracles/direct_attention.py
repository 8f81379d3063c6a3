"""One row of the full attention matrices, averaged over heads and chosen layers."""

import numpy as np
import torch

from tests.oracles.target import before_prediction, terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows p-1 or p, (targets, S), float64."""
    forward, layers = case.forward, options.layers
    chosen = [
        A.detach()
        for index, A in enumerate(forward.attentions)
        if layers == "all"
        or (layers == "global" and forward.is_global[index])
        or (layers == "last" and index == len(forward.attentions) - 1)
        or (not isinstance(layers, str) and index in layers)
    ]
    mean = torch.stack(chosen).mean((0, 1))
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        looking = terms[0].row + (options.row == "own")
        rows.append(before_prediction(mean[looking], terms))
    return np.stack(rows)
