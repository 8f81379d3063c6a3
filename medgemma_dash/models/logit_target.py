"""The number that is differentiated, and what states give for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.models.adapter import VisionLanguageModel


@dataclass(frozen=True)
class LogitTerm:
    """weight x the logsumexp of some tokens' logits at one position; of one token, its logit.

    row: the predicting position. ids: token ids, each once.
    """

    row: int
    ids: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class LogitTarget:
    """z, a sum of terms: a logit, a difference or a sum of logits, or a margin.

    log_probability: sum log-probabilities in their place, as some methods are defined on; their
        gradients vanish where the model is sure.
    """

    terms: tuple[LogitTerm, ...]
    log_probability: bool = False

    @classmethod
    def of_token(cls, row: int, token: int) -> "LogitTarget":
        """One token's logit at one position."""
        return cls((LogitTerm(row, (token,), 1.0),))

    @property
    def rows(self) -> tuple[int, ...]:
        """Predicting positions, ascending, each once."""
        return tuple(sorted({term.row for term in self.terms}))


def normed(model: VisionLanguageModel, states: Float[Tensor, "*n h"]) -> Float[Tensor, "*n h"]:
    """The last layer's output through the decoder's final norm."""
    return model.hf_model.model.language_model.norm(states)  # type: ignore[no-any-return]


def unembedding(model: VisionLanguageModel, ids: Any) -> Float[Tensor, "*tokens hidden"]:
    """Rows of the unembedding: a token's logit is its row times a normed state."""
    return model.hf_model.lm_head.weight[ids]  # type: ignore[no-any-return]


def read_terms(
    model: VisionLanguageModel,
    states: Float[Tensor, "terms hidden"],
    terms: Sequence[LogitTerm],
) -> Float[Tensor, " terms"]:
    """Each term's logsumexp, without its weight, from the normed state at its row.

    Only the terms' tokens' rows of the unembedding are read. Of one token it is the logit, and so
    is its gradient, to the bit.
    """
    most = max(len(term.ids) for term in terms)
    # Filled up with a token that is there already, and left out of the sum.
    ids = [term.ids + term.ids[:1] * (most - len(term.ids)) for term in terms]
    logits = (states.unsqueeze(1) * unembedding(model, torch.tensor(ids))).sum(-1)
    left_out = [[place >= len(term.ids) for place in range(most)] for term in terms]
    logits = logits.masked_fill(torch.tensor(left_out, device=logits.device), -torch.inf)
    return logits.float().logsumexp(-1).to(logits.dtype)
