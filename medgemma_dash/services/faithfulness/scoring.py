"""Maps tested on the model: soft tokens removed, and the target's probability watched.

Of an answer about several images the soft tokens of all are ranked, drawn and removed together:
what an answer owes to an earlier image is as much a claim of its explanation.
"""

from collections.abc import Callable, Generator, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.target import Target
from medgemma_dash.metrics.faithfulness import (
    FaithfulnessTable,
    Map,
    masks_to_score,
    measure_faithfulness,
    table_of_scores,
)
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.masked_forward import masked_log_probabilities

# A click of another session waits for one batch of variants at most, each of them a forward pass;
# a processor is the slower one.
VARIANTS_AT_ONCE = 32
VARIANTS_AT_ONCE_ON_PROCESSORS = 4


def target_score(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    masks: Bool[np.ndarray, "variants cells"],
    check: Check | None = None,
) -> Float[np.ndarray, " variants"]:
    """Log-probability of the target's tokens, summed, with soft tokens removed.

    masks: of all images' soft tokens, image after image, as `Explanation.cells` has them.
    Teacher-forced on the answer as it was given; a removed soft token becomes its image's mean
    one. Raises ValueError for masks of another size.
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
    spans = answer.image_spans
    cells = sum(stop - start for start, stop in spans)
    if masks.shape[1] != cells:
        raise ValueError(f"Masks of {masks.shape[1]} soft tokens; the images have {cells}.")
    with model.lock:
        replay = replay_answer(model, answer, check)
        images = [replay.pieces[0].input[0, slice(*span)].detach() for span in spans]
        means = torch.cat([h.float().mean(0, keepdim=True).expand_as(h) for h in images])
        found = masked_log_probabilities(
            replay, spans, torch.from_numpy(masks), means, places, check
        )
    scores: Float[np.ndarray, "variants tokens"] = found.double().cpu().numpy()
    return scores


def faithfulness_of(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    images: Sequence[Map],
    *,
    check: Check | None = None,
) -> FaithfulnessTable:
    """Comprehensiveness and sufficiency at 20% of several maps, beside ten random rankings.

    images: each explanation's cells, `Explanation.cells`; of a single image its map serves too.
    """
    return measure_faithfulness(
        lambda masks: target_score(model, answer, target, masks, check), images
    )


def faithfulness_steps(
    current: Callable[[], VisionLanguageModel],
    answer: Answer,
    target: Target,
    images: Sequence[Map],
    check: Check,
    progress: Progress,
) -> Generator[None, None, FaithfulnessTable]:
    """As `faithfulness_of`, batch by batch; yields between them."""
    masks = masks_to_score(images)
    found: list[Float[np.ndarray, " variants"]] = []
    done = 0
    progress(done, len(masks))
    while done < len(masks):
        if done:
            yield
        model = current()
        on_processor = model.device.type == "cpu"
        size = VARIANTS_AT_ONCE_ON_PROCESSORS if on_processor else VARIANTS_AT_ONCE
        found.append(target_score(model, answer, target, masks[done : done + size], check))
        done = min(done + size, len(masks))
        progress(done, len(masks))
    return table_of_scores(np.concatenate(found), len(images))
