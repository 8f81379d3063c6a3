"""Chefer relevance with normalised full matrices; see `chefer_matrices`."""

import numpy as np

from tests.oracles.chefer_matrices import chained
from tests.oracles.target import before_prediction, terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows (targets, S), float64."""
    layers = range(len(case.forward.attentions))
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        row = chained(case.forward, terms, layers, normalised=True)
        rows.append(before_prediction(row, terms))
    return np.stack(rows)
