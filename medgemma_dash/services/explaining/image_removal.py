"""What the decoder is given where cells of an answer's images are removed, in one of several ways.

Imports torch.
"""

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
from medgemma_dash.core.removals import REMOVALS
from medgemma_dash.core.samples import shipped_films
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.imaging.removal import CellRemoval
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.embedding import soft_positions
from medgemma_dash.models.masked_forward import variants_at_once
from medgemma_dash.models.pictures import encode_pictures, pictures_at_once
from medgemma_dash.models.prompting import preprocessed
from medgemma_dash.models.replay import Replay


@dataclass(frozen=True, eq=False)
class ImageRemoval:
    """An answer's images, from which cells are removed again and again; the caller holds the
    model's lock.

    how: of `core.removals.REMOVALS`. donor: the radiograph whose soft tokens are put in place; for
    "another patient" alone. Masks are of all images' cells, image after image, as
    `Explanation.cells` has them.
    """

    answer: Answer
    how: str
    donor: Radiograph | None = None
    _pictures: dict[int, CellRemoval] = field(default_factory=dict)

    @property
    def of_tokens(self) -> bool:
        """Whether soft tokens are replaced, rather than pixels changed and encoded again."""
        return REMOVALS[self.how] == "tokens"

    def features(
        self,
        model: VisionLanguageModel,
        replay: Replay,
        masks: Bool[np.ndarray, "variants cells"],
        check: Check | None = None,
    ) -> Float[Tensor, "variants cells hidden"]:
        """All images' soft tokens as they are then, for each mask."""
        if not self.of_tokens:
            return self.encoded(model, masks, check)
        kept = replay.embeddings[soft_positions(self.answer.image_spans)]
        removed = torch.from_numpy(masks).to(kept.device).unsqueeze(-1)
        return torch.where(removed, self.substitute(model, replay).to(kept), kept)

    def substitute(
        self, model: VisionLanguageModel, replay: Replay
    ) -> Float[Tensor, "cells hidden"]:
        """What takes a removed soft token's place."""
        if self.how == "mean token":
            images = [replay.embeddings[slice(*span)] for span in self.answer.image_spans]
            return torch.cat([h.float().mean(0, keepdim=True).expand_as(h) for h in images])
        donor = self.donor
        if donor is None:
            raise ValueError("Another patient's soft tokens need a donor.")
        soft = model.keep_of_image(
            donor.sha256, lambda: model.encode_pixels(preprocessed(model, donor))
        )
        return torch.cat([soft] * len(self.answer.images))

    def encoded(
        self,
        model: VisionLanguageModel,
        masks: Bool[np.ndarray, "variants cells"],
        check: Check | None = None,
    ) -> Float[Tensor, "variants cells hidden"]:
        """Soft tokens of pictures that were changed."""
        parts, start = [], 0
        for number, image in enumerate(self.answer.images):
            stop = start + image.grid[0] * image.grid[1]
            if number not in self._pictures:
                how: Mapping[str, object] = {"how": self.how}
                self._pictures[number] = CellRemoval(image.radiograph.pixels, image.grid, **how)  # type: ignore[arg-type]
            removal = self._pictures[number]
            pictures = [removal.without(mask[start:stop].reshape(image.grid)) for mask in masks]
            parts.append(encode_pictures(model, pictures, check))
            start = stop
        return torch.cat(parts, dim=1)

    def at_once(self, model: VisionLanguageModel) -> int:
        """How many masks make one batch: what a click of another session waits for at most."""
        most = variants_at_once(replay_answer(model, self.answer))
        return most if self.of_tokens else min(most, pictures_at_once(model))


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
