"""Token activation maps cell by cell and word by word, from the hand-written float64 decoder."""

import math

import numpy as np
from scipy.optimize import nnls

from tests.oracles.gemma3_float64 import rms_norm
from tests.oracles.target import terms_of


def oracle(case, targets, options) -> np.ndarray:
    """Rows (targets, S), float64."""
    return np.stack([_row(case, target) for target in targets])


def _row(case, target) -> np.ndarray:
    weights = case.model.hf_model.state_dict()
    gamma = weights["model.language_model.norm.weight"].double()
    eps = case.model.hf_model.config.text_config.rms_norm_eps
    x = rms_norm(case.forward.outputs[-1].detach(), gamma, eps).numpy()
    table = weights["model.language_model.embed_tokens.weight"].double().numpy()
    input_ids = case.answer.input_ids
    position = terms_of(case.answer, target)[0].row + 1

    def activation(place: int, token: int) -> float:
        return max(0.0, float(np.dot(x[place], table[token])))

    def raw_map(token: int) -> np.ndarray:
        return np.array([activation(place, token) for place in case.cells])

    own_token = int(input_ids[position])
    places = [
        place
        for place in range(position)
        if place not in case.cells and input_ids[place] != own_token
    ]
    scores = np.array([activation(place, own_token) for place in places])
    mix = np.zeros(len(case.cells))
    for place, score in zip(places, scores, strict=True):
        mix += score / scores.sum() * raw_map(int(input_ids[place]))
    own = raw_map(own_token)
    (factor,), _ = nnls(mix[:, None], own)
    residual = np.zeros(len(input_ids))
    residual[case.cells] = np.maximum(own - factor * mix, 0)
    row = np.zeros(len(input_ids))
    for image in case.answer.images:
        span = slice(*image.span)
        row[span] = rank_gaussian(residual[span].reshape(image.grid)).ravel()
    return row


def rank_gaussian(image: np.ndarray) -> np.ndarray:
    """The rank Gaussian filter over 3 x 3 cells, one window at a time."""
    rows, cols = image.shape
    found = np.zeros(image.shape)
    for row, col in np.ndindex(rows, cols):
        window = sorted(
            float(image[min(max(y, 0), rows - 1), min(max(x, 0), cols - 1)])
            for y in range(row - 1, row + 2)
            for x in range(col - 1, col + 2)
        )
        mean = sum(window) / 9
        variance = sum((value - mean) ** 2 for value in window) / 9
        sigma = math.sqrt(variance) / mean if mean else 0.0
        if sigma < 1e-2:  # what is not the median then weighs less than exp(-5000)
            found[row, col] = window[4]
            continue
        weights = [math.exp(-((rank - 4) ** 2) / (2 * sigma**2)) for rank in range(9)]
        total = sum(weight * value for weight, value in zip(weights, window, strict=True))
        found[row, col] = total / sum(weights)
    return found
