"""The text-to-image block of the full attention matrices, row by row and head by head."""

import numpy as np
import torch

from tests.oracles.target import before_prediction, terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Mean over the last few predicting rows and the heads, (targets, S); zero off the images."""
    attentions = case.forward.attentions
    weighted = [(1.0, -1)] if options.layers == "last" else [(1 / 6, -3), (2 / 6, -2), (3 / 6, -1)]
    if isinstance(options.layers, int):
        weighted = [(1.0, -1 - back) for back in range(options.layers)]
    weighted = [(w, layer) for w, layer in weighted if -layer <= len(attentions)]
    total = sum(w for w, _ in weighted)
    first = len(case.answer.input_ids) - len(case.answer.tokens) - 1
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        own = terms[0].row
        most = own if options.rows == "all" else options.rows
        looking = range(max(first, own - most + 1), own + 1)
        found = torch.zeros(len(case.forward.logits), dtype=torch.float64)
        for w, layer in weighted:
            A = attentions[layer].detach()
            for head in A:
                for row in looking:
                    for i in case.cells:
                        found[i] += w / total * head[row, i] / len(looking) / len(A)
        rows.append(before_prediction(found, terms))
    return np.stack(rows)
