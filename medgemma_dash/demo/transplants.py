"""Soft tokens of two pictures mixed, so that a lesion can only be read where it lies.

A vision tower's patches see each other, so a patch in a corner may know of a lesion elsewhere,
and a decoder may learn to read it there. Where the background is another picture's, such news is
false, and only the patches of the lesion itself tell the truth.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from medgemma_dash.demo.architecture import GRID


def lesion_cells(shown: NDArray[np.int8]) -> Bool[Tensor, "pictures 256"]:
    """Return the patches at or next to any lesion, from `Example.shown` (pictures, 256, 5)."""
    touched = torch.from_numpy((shown != 0).any(axis=-1)).float().view(-1, 1, GRID, GRID)
    return functional.max_pool2d(touched, 3, stride=1, padding=1).flatten(1) > 0


def transplant(
    features: Float[Tensor, "pictures 256 width"],
    lesions: Bool[Tensor, "pictures 256"],
    chosen: NDArray[np.int64],
    share: float,
    generator: np.random.Generator,
) -> Float[Tensor, "batch 256 width"]:
    """Return the features of the chosen pictures; a share of them gets another's background.

    Kept are a picture's own lesions, and its own patches wherever the other has a lesion: what is
    and what is not there stays true.
    """
    others = generator.integers(len(features), size=len(chosen))
    mixed = torch.from_numpy(generator.random(len(chosen)) < share)
    own, other = torch.from_numpy(chosen), torch.from_numpy(others)
    kept = lesions[own] | lesions[other] | ~mixed[:, None]
    return torch.where(kept[:, :, None], features[own], features[other]).float()
