"""The target's log-probability with parts of the image removed, in one of several ways."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.target import Target
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.masked_forward import (
    masked_log_probabilities,
    replaced_log_probabilities,
)
from medgemma_dash.services.explaining.image_removal import ImageRemoval


@dataclass(frozen=True, eq=False)
class TargetScore:
    """A target of an answer, scored under one removal.

    donor: the radiograph whose soft tokens are put in place; for "another patient" alone.
    """

    answer: Answer
    target: Target
    removal: str
    donor: Radiograph | None = None

    @cached_property
    def _images(self) -> ImageRemoval:
        return ImageRemoval(self.answer, self.removal, self.donor)

    def __call__(
        self,
        model: VisionLanguageModel,
        masks: Bool[np.ndarray, "variants cells"],
        check: Check | None = None,
    ) -> Float[np.ndarray, " variants"]:
        """Log-probability of the target with these cells removed, in nats.

        Teacher-forced on the answer as it was given. masks: of all images' cells, image after
        image, as `Explanation.cells` has them.
        """
        spans, places = self.answer.image_spans, _places(self.answer, self.target)
        with model.lock:
            replay = replay_answer(model, self.answer, check)
            if self._images.of_tokens:
                substitute = self._images.substitute(model, replay)
                found = masked_log_probabilities(
                    replay, spans, torch.from_numpy(masks), substitute, places, check
                )
            else:
                features = self._images.encoded(model, masks, check)
                found = replaced_log_probabilities(replay, spans, features, places, check)
        return _of_target(self.target, found.double().cpu().numpy())

    def at_once(self, model: VisionLanguageModel) -> int:
        """How many masks make one batch: what a click of another session waits for at most."""
        with model.lock:
            return self._images.at_once(model)


def _places(answer: Answer, target: Target) -> list[tuple[int, int]]:
    """Position and token id of every logit that the target's probability is made of."""
    if target.margin is not None:
        row = answer.prompt_length - 1
        return [(row, id_) for id_ in (*target.margin.yes_ids, *target.margin.no_ids)]
    tokens = [answer.tokens[index] for index in target.token_indices]
    return [(token.position - 1, token.id) for token in tokens]


def _of_target(
    target: Target, found: Float[np.ndarray, "variants places"]
) -> Float[np.ndarray, " variants"]:
    """Of words the sum; of a margin the log-probability of its first side against the second."""
    if target.margin is None:
        together: Float[np.ndarray, " variants"] = found.sum(1)
        return together
    sides = np.split(found, [len(target.margin.yes_ids)], axis=1)
    yes, no = (np.logaddexp.reduce(side, axis=1) for side in sides)
    of_first: Float[np.ndarray, " variants"] = -np.logaddexp(0.0, no - yes)
    return of_first
