"""One row of one layer's full attention matrix."""

import numpy as np

from tests.oracles.target import before_prediction, terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows p-1 of the chosen layer, heads combined, (targets, S), float64."""
    forward = case.forward
    count = len(forward.attentions)
    names = {"last": count - 1, "middle": count // 2, "first": 0}
    names["last global"] = max((i for i in range(count) if forward.is_global[i]), default=-1)
    A = forward.attentions[names.get(options.layer, options.layer)].detach()
    if options.heads == "max":
        combined = A.max(0).values
    elif options.heads == "mean":
        combined = A.sum(0) / len(A)
    else:
        combined = A[options.heads]
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        rows.append(before_prediction(combined[terms[0].row], terms))
    return np.stack(rows)
