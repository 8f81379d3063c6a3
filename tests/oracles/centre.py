"""The centre control, cell by cell."""

import math

import numpy as np

from medgemma_dash.core.answer import Answer


def centre(answer: Answer) -> np.ndarray:
    """A bell around the middle of the grid, (S,); its standard deviation is a quarter of it."""
    rows, cols = answer.grid
    found = np.zeros(len(answer.input_ids))
    for y in range(rows):
        for x in range(cols):
            down = (y + 0.5 - rows / 2) / (rows / 4)
            across = (x + 0.5 - cols / 2) / (cols / 4)
            found[answer.image_span[0] + y * cols + x] = math.exp(-(down**2 + across**2) / 2)
    return found
