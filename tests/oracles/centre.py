"""The centre control, cell by cell."""

import math

import numpy as np


def oracle(case, targets, options) -> np.ndarray:
    """A bell around the middle of every grid, (targets, S); its deviation is a quarter of it."""
    found = np.zeros((len(targets), len(case.answer.input_ids)))
    for image in case.answer.images:
        rows, cols = image.grid
        for y in range(rows):
            for x in range(cols):
                down = (y + 0.5 - rows / 2) / (rows / 4)
                across = (x + 0.5 - cols / 2) / (cols / 4)
                found[:, image.span[0] + y * cols + x] = math.exp(-(down**2 + across**2) / 2)
    return found
