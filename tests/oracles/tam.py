"""Token activation maps cell by cell and word by word, from the hand-written float64 decoder."""

import math

import numpy as np
from scipy.optimize import nnls

from tests.oracles.gemma3_float64 import FullForward, rms_norm


def tam(hf_model, forward: FullForward, input_ids, image_span, position: int) -> np.ndarray:
    """The row of the token that stands at `position`."""
    weights = hf_model.state_dict()
    gamma = weights["model.language_model.norm.weight"].double()
    eps = hf_model.config.text_config.rms_norm_eps
    x = rms_norm(forward.outputs[-1].detach(), gamma, eps).numpy()
    table = weights["model.language_model.embed_tokens.weight"].double().numpy()
    start, stop = image_span

    def activation(place: int, token: int) -> float:
        return max(0.0, float(np.dot(x[place], table[token])))

    def raw_map(token: int) -> np.ndarray:
        return np.array([activation(place, token) for place in range(start, stop)])

    own_token = int(input_ids[position])
    places = [
        place
        for place in range(position)
        if not start <= place < stop and input_ids[place] != own_token
    ]
    scores = np.array([activation(place, own_token) for place in places])
    mix = np.zeros(stop - start)
    for place, score in zip(places, scores, strict=True):
        mix += score / scores.sum() * raw_map(int(input_ids[place]))
    own = raw_map(own_token)
    (scale,), _ = nnls(mix[:, None], own)
    residual = np.maximum(own - scale * mix, 0)
    side = math.isqrt(stop - start)
    row = np.zeros(len(input_ids))
    row[start:stop] = rank_gaussian(residual.reshape(side, side)).ravel()
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
