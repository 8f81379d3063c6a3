"""Synthetic chest radiographs whose findings are known: `synthesize(seed)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medgemma_dash.demo.findings import Finding, Lesion, cardiomegaly, place_lesion
from medgemma_dash.demo.frame import Frame, Mask
from medgemma_dash.demo.projection import draw_technique, project
from medgemma_dash.demo.questions import FINDINGS
from medgemma_dash.demo.skeleton import draw_skeleton
from medgemma_dash.demo.thorax import SIDES, draw_build, draw_thorax
from medgemma_dash.demo.vessels import draw_vessels

# Seeds below this one are for training; those from it on are for evaluation and never trained on.
FIRST_EVALUATION_SEED = 10_000_000

# Shares of pictures with no, one and two findings.
_COUNTS = (0.22, 0.53, 0.25)

__all__ = ["FIRST_EVALUATION_SEED", "Finding", "SyntheticRadiograph", "synthesize"]


@dataclass(frozen=True)
class SyntheticRadiograph:
    """A drawn radiograph.

    `pixels` is uint8 (height, width), bright where dense; the image's left is the patient's right.
    `lungs` holds the visible lung of each side of the patient, "right" and "left", bool
    (height, width), as it was before any lesion.
    """

    seed: int
    pixels: NDArray[np.uint8]
    findings: tuple[Finding, ...]
    lungs: Mapping[str, Mask]
    body: Mask


def synthesize(seed: int) -> SyntheticRadiograph:
    """Draw the radiograph of a seed; the same seed gives the same bytes."""
    generator = np.random.default_rng(seed)
    names = _draw_names(generator)
    frame = _draw_frame(generator)
    build = draw_build(generator, enlarged_heart="cardiomegaly" in names)
    thorax = draw_thorax(frame, build, generator)
    bone = draw_skeleton(thorax, generator)
    blood = draw_vessels(thorax, generator)
    lesions: list[Lesion] = []
    sides = list(generator.permutation(sorted(SIDES)))  # two lesions never share a lung
    for name in names:
        if name == "cardiomegaly":
            lesions.append(cardiomegaly(thorax))
        else:
            lesions.append(place_lesion(name, str(sides.pop()), thorax, generator))
    technique = draw_technique(generator)
    pixels = project(thorax, bone, blood, tuple(lesions), technique, generator)
    return SyntheticRadiograph(
        seed=seed,
        pixels=pixels,
        findings=tuple(lesion.finding for lesion in lesions),
        lungs=thorax.lungs,
        body=thorax.body_mask,
    )


def _draw_names(generator: np.random.Generator) -> tuple[str, ...]:
    count = int(generator.choice(3, p=_COUNTS))
    return tuple(str(name) for name in generator.permutation(FINDINGS)[:count])


def _draw_frame(generator: np.random.Generator) -> Frame:
    """Draw the film's size and the patient's place on it."""
    uniform = generator.uniform
    height, width = int(generator.integers(468, 580)), int(generator.integers(448, 560))
    scale = min(width * 0.435, height * 0.43) * uniform(0.93, 1.05)
    return Frame(
        height=height,
        width=width,
        centre_x=width * uniform(0.47, 0.53),
        centre_y=height * uniform(0.51, 0.57),
        scale=scale,
        tilt=float(np.deg2rad(uniform(-3.0, 3.0))),
    )
