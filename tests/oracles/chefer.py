"""Chefer relevance from full matrices; see `chefer_matrices`."""

import numpy as np

from tests.oracles.chefer_matrices import chefer
from tests.oracles.target import before_prediction, terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows (targets, S), float64."""
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        rows.append(before_prediction(chefer(case.forward, terms, options.heads), terms))
    return np.stack(rows)
