"""Soft tokens of two pictures mixed, so that a lesion can only be read where it lies.

A vision tower's patches see each other, so a patch in a corner may know of a lesion elsewhere,
and a decoder may learn to read it there. Where the background is another picture's, such news is
false, and only the patches of the lesion itself tell the truth.

The other picture may bring lesions along. In a drawn radiograph two lesions never share a lung,
so one's side follows from the other's; in a mixed one nothing follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from medgemma_dash.demo.architecture import GRID
from medgemma_dash.demo.dataset import Example, KnownLesion


@dataclass(frozen=True)
class Mixture:
    """Which patches come from which picture, and what the mixed picture shows."""

    own: int
    other: int
    kept: Bool[Tensor, " 256"]
    findings: tuple[KnownLesion, ...]

    def of(self, features: Float[Tensor, "pictures 256 width"]) -> Float[Tensor, "256 width"]:
        """Return the mixed soft tokens."""
        return torch.where(self.kept[:, None], features[self.own], features[self.other])


def lesion_cells(shown: NDArray[np.int8]) -> Bool[Tensor, "pictures 256"]:
    """Return the patches at or next to any lesion, from `Example.shown` (pictures, 256, 5)."""
    touched = torch.from_numpy((shown != 0).any(axis=-1)).float().view(-1, 1, GRID, GRID)
    return functional.max_pool2d(touched, 3, stride=1, padding=1).flatten(1) > 0


def transplant(
    examples: Sequence[Example],
    lesions: Bool[Tensor, "pictures 256"],
    chosen: NDArray[np.int64],
    share: float,
    generator: np.random.Generator,
) -> list[Mixture]:
    """Return the chosen pictures; a share of them gets another's background.

    The other's lesions come along where they touch none of the picture's own and bear other
    names; otherwise the picture's own patches cover them. So what is and what is not there is
    known.
    """
    others = generator.integers(len(examples), size=len(chosen))
    mixed = generator.random(len(chosen)) < share
    return [
        _mix(examples, lesions, int(own), int(other) if mix else int(own))
        for own, other, mix in zip(chosen, others, mixed, strict=True)
    ]


def _mix(
    examples: Sequence[Example], lesions: Bool[Tensor, "pictures 256"], own: int, other: int
) -> Mixture:
    mine, theirs = examples[own].findings, examples[other].findings
    names = {finding.name for finding in mine}
    alike = any(finding.name in names for finding in theirs)
    if alike or bool((lesions[own] & lesions[other]).any()):
        return Mixture(own, other, lesions[own] | lesions[other], mine)
    return Mixture(own, other, lesions[own], mine + theirs)
