"""What the model is given at a step of a removal curve, and what it says to it.

Importing this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.progress import Check
from medgemma_dash.core.record import Record
from medgemma_dash.imaging.encode import shrunk
from medgemma_dash.imaging.removal import CellRemoval, PictureRemoval, on_pixels
from medgemma_dash.metrics.removal_curves import Curve
from medgemma_dash.services.faithfulness.plan import REMOVALS
from medgemma_dash.services.faithfulness.reading import every_removed_cell, removed_cells

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

# An answer that goes on is cut off: it is looked at step by step.
MOST_TOKENS = 96
LONGEST_SIDE_PX = 800
# Laid over cells whose soft tokens are replaced: a colour that no grey film has anywhere.
COVER, COVERED = np.array([52.0, 72.0, 100.0]), 0.88


@dataclass(frozen=True)
class Step:
    """One point of a curve."""

    method: str
    removal: str
    curve: Curve
    share: float


@dataclass(frozen=True)
class MaskedAnswer:
    """What the model says at a step. same: whether that is the answer that was explained.

    cut_off: it went on, longer than is looked at.
    """

    text: str
    same: bool
    cut_off: bool


def masked_picture(
    pixels: npt.NDArray[np.uint8], record: Record, step: Step
) -> npt.NDArray[np.uint8]:
    """uint8 (H, W, 3): the current image at a step, at most 800 pixels long.

    Of a removal in pixel space it is what the vision tower is shown. In token space there is no
    such picture: the cells whose soft tokens are replaced are covered in blue.
    """
    removed = removed_cells(record, step.method, step.curve, step.share)
    if REMOVALS[step.removal] == "pixels":
        how = cast("PictureRemoval", step.removal)
        return shrunk(CellRemoval(pixels, removed.shape, how).without(removed), LONGEST_SIDE_PX)
    small = shrunk(pixels, LONGEST_SIDE_PX)
    covered = np.rint((1 - COVERED) * small + COVERED * COVER).astype(np.uint8)
    return np.where(on_pixels(removed, small.shape[:2])[..., None], covered, small)


def masked_answer(
    current: Callable[[], VisionLanguageModel],
    answer: Answer,
    record: Record,
    step: Step,
    check: Check | None = None,
) -> MaskedAnswer:
    """What the model answers, greedily, with the cells of a step removed.

    record: of this answer. Raises MethodError where it is not, and KeyError for a method that has
    no map in it.
    """
    import torch

    from medgemma_dash.models.answer_replay import replay_answer
    from medgemma_dash.models.regeneration import regenerate
    from medgemma_dash.services.explaining.image_removal import ImageRemoval, donor_for

    if tuple(record.plan["asked"]["answer_ids"]) != tuple(token.id for token in answer.tokens):
        raise MethodError("This record is of another answer.")
    donor = donor_for(answer, None) if step.removal == "another patient" else None
    if donor is not None and donor.sha256 != record.plan["donor"]:
        raise MethodError("The record's other patient is not among the shipped samples.")
    images = ImageRemoval(answer, step.removal, donor)
    mask = every_removed_cell(record, step.method, step.curve, step.share)
    model = current()
    with model.lock:
        replay = replay_answer(model, answer, check)
        (features,) = images.features(model, replay, mask[np.newaxis], check)
        prompt = torch.from_numpy(answer.input_ids[: answer.prompt_length].copy())
        said = regenerate(model, prompt, answer.image_spans, features, MOST_TOKENS, check)
    return MaskedAnswer(said.text, said.text == answer.text, said.stopped == "length")
