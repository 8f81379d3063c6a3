"""The uniform control."""

import numpy as np

from medgemma_dash.core.answer import Answer


def uniform(answer: Answer) -> np.ndarray:
    """An equal share for every image position, (S,)."""
    start, stop = answer.image_span
    return np.array(
        [float(start <= i < stop) / (stop - start) for i in range(len(answer.input_ids))]
    )
