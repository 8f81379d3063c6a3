"""Training pictures as the model sees them, with what is known of each of their 256 patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medgemma_dash.demo.architecture import GRID
from medgemma_dash.demo.questions import FINDINGS
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, SyntheticRadiograph, synthesize
from medgemma_dash.demo.tokenizer import IMAGE_SIZE

SIDE_NAMES = ("right", "left")
IGNORED = -100  # torch's own mark for a label that gives no loss

# A patch shows a finding when this share of it is covered; between the two it is left out.
_SHOWN, _CLEAR = 0.20, 0.05
_IN_LUNG = 0.35


@dataclass(frozen=True)
class KnownLesion:
    """A finding without its mask, enough to answer questions."""

    name: str
    side: str
    zone: str


@dataclass(frozen=True)
class Example:
    """One training picture.

    `pixels`: uint8 (224, 224). `shown`: int8 (256, 5), 1 where the patch shows the finding of
    FINDINGS, 0 where not, -1 where it hardly does. `side` and `zone`: int64 (256,), the patch's
    own place in the lungs, IGNORED outside of them.
    """

    pixels: NDArray[np.uint8]
    shown: NDArray[np.int8]
    side: NDArray[np.int64]
    zone: NDArray[np.int64]
    findings: tuple[KnownLesion, ...]


def make_examples(first_seed: int, count: int, processes: int) -> Sequence[Example]:
    """Draw pictures for training; refuses seeds that are kept for evaluation."""
    if first_seed < 0 or first_seed + count > FIRST_EVALUATION_SEED:
        raise ValueError(
            f"training seeds lie in 0..{FIRST_EVALUATION_SEED - 1}; "
            f"{first_seed}..{first_seed + count - 1} would train on evaluation pictures"
        )
    seeds = range(first_seed, first_seed + count)
    if processes <= 1:
        return [make_example(seed) for seed in seeds]
    # Forking is not safe once torch has started its threads.
    with get_context("spawn").Pool(processes) as pool:
        return pool.map(make_example, seeds, chunksize=50)


def make_example(seed: int) -> Example:
    """Draw one picture and label its patches."""
    cv2.setNumThreads(1)
    radiograph = synthesize(seed)
    side, zone = _places(radiograph)
    return Example(
        pixels=model_pixels(radiograph.pixels),
        shown=_shown(radiograph),
        side=side,
        zone=zone,
        findings=tuple(
            KnownLesion(finding.name, finding.side, finding.zone) for finding in radiograph.findings
        ),
    )


def model_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Stretch to the model's square as its processor does (Pillow, bilinear, antialiased)."""
    image = Image.fromarray(pixels).resize((IMAGE_SIZE, IMAGE_SIZE), Image.Resampling.BILINEAR)
    return np.asarray(image)


def patch_share(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the share of each patch that a mask covers, float32 (16, 16)."""
    square = cv2.resize(mask.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(square, np.float32)


def _shown(radiograph: SyntheticRadiograph) -> NDArray[np.int8]:
    shown = np.zeros((GRID * GRID, len(FINDINGS)), np.int8)
    for finding in radiograph.findings:
        share = patch_share(finding.mask).ravel()
        labels = np.where(share >= _SHOWN, 1, np.where(share > _CLEAR, -1, 0))
        labels[share.argmax()] = 1  # a small nodule may fall between four patches
        shown[:, FINDINGS.index(finding.name)] = labels
    return shown


def _places(radiograph: SyntheticRadiograph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    side = np.full((GRID, GRID), IGNORED, np.int64)
    zone = np.full((GRID, GRID), IGNORED, np.int64)
    centres = (np.arange(GRID) + 0.5) * radiograph.pixels.shape[0] / GRID
    for number, name in enumerate(SIDE_NAMES):
        lung = radiograph.lungs[name]
        rows = np.flatnonzero(lung.any(axis=1))
        thirds = np.clip((centres - rows[0]) / (rows[-1] - rows[0]) * 3, 0, 2).astype(np.int64)
        inside = patch_share(lung) >= _IN_LUNG
        side[inside] = number
        zone[inside] = np.broadcast_to(thirds[:, None], (GRID, GRID))[inside]
    return side.ravel(), zone.ravel()
