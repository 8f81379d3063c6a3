"""Chefer relevance from the global layers' full matrices alone; see `chefer_matrices`."""

import numpy as np

from tests.oracles.chefer_matrices import chained
from tests.oracles.target import before_prediction, terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows (targets, S), float64; nothing where no layer is global."""
    layers = [index for index, whole in enumerate(case.forward.is_global) if whole]
    rows = []
    for target in targets:
        terms = terms_of(case.answer, target)
        row = chained(case.forward, terms, layers, normalised=options.form == "normalised")
        rows.append(before_prediction(row, terms))
    return np.stack(rows)
