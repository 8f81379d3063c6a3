"""Occlusion by brute force: one whole pass of the float64 decoder per block and no batch."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from torch import Tensor

from tests.oracles.gemma3_float64 import decode
from tests.oracles.target import rows_of, terms_of, z_of


def oracle(case, targets, options) -> np.ndarray:
    """Every cell gets the drop in z of its block, divided by the block's number of cells."""
    whole, without = _logits(case, options.block)
    rows = np.zeros((len(targets), len(case.answer.input_ids)))
    for row, target in zip(rows, targets, strict=True):
        terms = terms_of(case.answer, target)
        z = float(z_of(whole, terms))
        for places, logits in without:
            row[places] = (z - float(z_of(logits, terms))) / len(places)
    return rows


def scale(case, targets, options) -> Sequence[float]:
    """The largest logit at the target's places: a drop is a difference of two that are rounded."""
    logits = case.forward.logits.detach()
    return [float(logits[rows_of(terms_of(case.answer, t))].abs().max()) for t in targets]


@lru_cache(maxsize=2)
def _logits(case, side: int) -> tuple[Tensor, list[tuple[list[int], Tensor]]]:
    """Logits with all in place; and for each block its positions, and the logits without it."""
    hf_model, ids = case.model.hf_model, case.answer.input_ids
    features = case.features.double()
    without, first = [], 0
    for image in case.answer.images:
        rows, columns = image.grid
        mean = features[first : first + rows * columns].mean(0)
        for top in range(0, rows, side):
            for left in range(0, columns, side):
                cells = [
                    i * columns + j
                    for i in range(top, min(top + side, rows))
                    for j in range(left, min(left + side, columns))
                ]
                changed = features.clone()
                changed[[first + cell for cell in cells]] = mean
                logits = decode(hf_model, ids, changed).logits.detach()
                without.append(([image.span[0] + cell for cell in cells], logits))
        first += rows * columns
    return decode(hf_model, ids, features).logits.detach(), without
