"""The uniform control."""

import numpy as np


def oracle(case, targets, options) -> np.ndarray:
    """An equal share for every image position, (targets, S)."""
    length = len(case.answer.input_ids)
    row = [float(i in case.cells) / len(case.cells) for i in range(length)]
    return np.array([row for _ in targets])
