"""The target's log-probability with parts of the image removed, in one of several ways."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.samples import shipped_films
from medgemma_dash.core.target import Target
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.removal import CellRemoval
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.embedding import soft_positions
from medgemma_dash.models.masked_forward import (
    masked_log_probabilities,
    replaced_log_probabilities,
    variants_at_once,
)
from medgemma_dash.models.pictures import encode_pictures, pictures_at_once
from medgemma_dash.models.prompting import preprocessed
from medgemma_dash.models.replay import Replay
from medgemma_dash.services.faithfulness.plan import REMOVALS


@dataclass(frozen=True, eq=False)
class TargetScore:
    """A target of an answer, scored under one removal.

    donor: the radiograph whose soft tokens are put in place; for "another patient" alone.
    """

    answer: Answer
    target: Target
    removal: str
    donor: Radiograph | None = None
    _pictures: dict[int, CellRemoval] = field(default_factory=dict)

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
            if REMOVALS[self.removal] == "tokens":
                substitute = self._substitute(model, replay)
                found = masked_log_probabilities(
                    replay, spans, torch.from_numpy(masks), substitute, places, check
                )
            else:
                features = self._encoded(model, masks, check)
                found = replaced_log_probabilities(replay, spans, features, places, check)
        return _of_target(self.target, found.double().cpu().numpy())

    def soft_tokens(
        self,
        model: VisionLanguageModel,
        masks: Bool[np.ndarray, "variants cells"],
        check: Check | None = None,
    ) -> Float[Tensor, "variants cells hidden"]:
        """What stands in the place of all images' soft tokens with these cells removed."""
        with model.lock:
            if REMOVALS[self.removal] == "pixels":
                return self._encoded(model, masks, check)
            replay = replay_answer(model, self.answer, check)
            kept = replay.embeddings[soft_positions(self.answer.image_spans)]
            gone = torch.from_numpy(masks).to(kept.device).unsqueeze(-1)
            return torch.where(gone, self._substitute(model, replay).to(kept), kept)

    def at_once(self, model: VisionLanguageModel) -> int:
        """How many masks make one batch: what a click of another session waits for at most."""
        with model.lock:
            most = variants_at_once(replay_answer(model, self.answer))
        if REMOVALS[self.removal] == "tokens":
            return most
        return min(most, pictures_at_once(model))

    def _substitute(
        self, model: VisionLanguageModel, replay: Replay
    ) -> Float[Tensor, "cells hidden"]:
        """What takes a removed soft token's place."""
        if self.removal == "mean token":
            images = [replay.embeddings[slice(*span)] for span in self.answer.image_spans]
            return torch.cat([h.float().mean(0, keepdim=True).expand_as(h) for h in images])
        donor = self.donor
        if donor is None:
            raise ValueError("Another patient's soft tokens need a donor.")
        soft = model.keep_of_image(
            donor.sha256, lambda: model.encode_pixels(preprocessed(model, donor))
        )
        return torch.cat([soft] * len(self.answer.images))

    def _encoded(
        self,
        model: VisionLanguageModel,
        masks: Bool[np.ndarray, "variants cells"],
        check: Check | None,
    ) -> Float[Tensor, "variants cells hidden"]:
        parts, start = [], 0
        for number, image in enumerate(self.answer.images):
            stop = start + image.grid[0] * image.grid[1]
            if number not in self._pictures:
                how: Mapping[str, object] = {"how": self.removal}
                self._pictures[number] = CellRemoval(image.radiograph.pixels, image.grid, **how)  # type: ignore[arg-type]
            removal = self._pictures[number]
            pictures = [removal.without(mask[start:stop].reshape(image.grid)) for mask in masks]
            parts.append(encode_pictures(model, pictures, check))
            start = stop
        return torch.cat(parts, dim=1)


def donor_for(answer: Answer, named: Radiograph | None) -> Radiograph:
    """The radiograph that was named, or the first shipped sample that the answer is not about.

    Raises ImageError for one that it is about.
    """
    shown = {image.radiograph.sha256 for image in answer.images}
    if named is None:
        other = next(film for film in shipped_films() if film.sha256 not in shown)
        return load_radiograph(other.path)
    if named.sha256 in shown:
        raise ImageError(
            "Another patient's radiograph has to be another one than was asked about. Name a "
            "different file, or none: a shipped sample is taken then."
        )
    return named


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
