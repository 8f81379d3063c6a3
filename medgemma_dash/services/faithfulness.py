"""Maps tested on the model: soft tokens removed, and the target's probability watched."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Target
from medgemma_dash.metrics.faithfulness import FaithfulnessTable, measure_faithfulness
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.generation import replay_answer
from medgemma_dash.models.masked_forward import masked_log_probabilities

Check = Callable[[], None]


def target_score(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    masks: Bool[np.ndarray, "variants cells"],
    check: Check | None = None,
) -> Float[np.ndarray, " variants"]:
    """Log-probability of the target's tokens, summed, with soft tokens removed.

    Teacher-forced on the answer as it was given; a removed soft token becomes the mean one.
    """
    score: Float[np.ndarray, " variants"] = token_scores(
        model, answer, target.token_indices, masks, check
    ).sum(1)
    return score


def token_scores(
    model: VisionLanguageModel,
    answer: Answer,
    token_indices: Sequence[int],
    masks: Bool[np.ndarray, "variants cells"],
    check: Check | None = None,
) -> Float[np.ndarray, "variants tokens"]:
    """As `target_score`, token by token."""
    tokens = [answer.tokens[index] for index in token_indices]
    places = [(token.position - 1, token.id) for token in tokens]
    start, stop = answer.image_span
    with model.lock:
        replay = replay_answer(model, answer, check)
        h = replay.pieces[0].input[0, start:stop].detach()
        mean = h.float().mean(0, keepdim=True).expand_as(h)
        found = masked_log_probabilities(
            replay, answer.image_span, torch.from_numpy(masks), mean, places, check
        )
    scores: Float[np.ndarray, "variants tokens"] = found.double().cpu().numpy()
    return scores


def faithfulness_of(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    images: Sequence[Float[np.ndarray, "rows cols"]],
    *,
    check: Check | None = None,
) -> FaithfulnessTable:
    """Comprehensiveness and sufficiency at 20% of several maps, beside ten random rankings."""
    return measure_faithfulness(
        lambda masks: target_score(model, answer, target, masks, check), images
    )
