"""What a target means: terms of logits, and their sum from full logits."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.target import Target
from medgemma_dash.models.logit_target import LogitTerm


def terms_of(answer: Answer, target: Target) -> list[LogitTerm]:
    """A term for every word; with a contrast or a margin, one that is taken off as well."""
    first = len(answer.input_ids) - len(answer.tokens) - 1
    if target.margin is not None:
        return [
            LogitTerm(first, target.margin.yes_ids, 1.0),
            LogitTerm(first, target.margin.no_ids, -1.0),
        ]
    found = []
    for index in target.token_indices:
        found.append(LogitTerm(first + index, (int(answer.input_ids[first + index + 1]),), 1.0))
        if target.against is not None:
            found.append(LogitTerm(first + index, (target.against.id,), -1.0))
    return found


def rows_of(terms: Sequence[LogitTerm]) -> list[int]:
    """Predicting positions, ascending, each once."""
    return sorted({term.row for term in terms})


def z_of(logits: Tensor, terms: Sequence[LogitTerm]) -> Tensor:
    """z from logits (S, V): the logarithm of what a term's tokens' exponentials sum to."""
    z = torch.zeros((), dtype=logits.dtype)
    for term in terms:
        chosen = torch.stack([logits[term.row, token] for token in term.ids])
        top = chosen.max().detach()
        z = z + term.weight * (top + (chosen - top).exp().sum().log())
    return z


def before_prediction(row: Tensor, terms: Sequence[LogitTerm]) -> np.ndarray:
    """Without predicting positions (self-relevance), and without all from the last of them on."""
    row = row.detach().clone()
    row[rows_of(terms)] = 0
    row[rows_of(terms)[-1] :] = 0
    return row.numpy()
