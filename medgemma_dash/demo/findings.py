"""Lesions: what each adds to or takes from the beam, and the mask where it lies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from medgemma_dash.demo.frame import Frame, Image, Mask, mirrored, smooth_outline
from medgemma_dash.demo.thorax import SIDES, Thorax

ZONES = ("upper", "mid", "lower")
# A centroid nearer than this to the border of two zones would make the answer a matter of taste.
_BORDER = 0.055  # share of the lung's height


@dataclass(frozen=True)
class Finding:
    """A lesion on one picture: `mask` is bool (height, width) in the picture's pixels.

    `side` is "right" or "left" of the patient and `zone` a third of that lung's height on the
    picture ("upper", "mid", "lower"); both are "" for the heart, which has neither.
    """

    name: str
    side: str
    zone: str
    mask: Mask


@dataclass(frozen=True)
class Lesion:
    """A finding with its physics, all (height, width).

    `fluid` is the share of the lung's air that liquid replaces (0 to 1), `tissue` is added soft
    tissue in centimetres, `emptied` is the share of the lung's tissue and vessels that is gone.
    """

    finding: Finding
    fluid: Image
    tissue: Image
    emptied: Image


def zone_of(mask: Mask, lung: Mask) -> tuple[str, float]:
    """Return the zone of a mask's centroid, and its distance to the nearest zone border.

    The distance is a share of the lung's height on the picture.
    """
    rows = np.flatnonzero(lung.any(axis=1))
    weights = mask.sum(axis=1)
    centroid = float((weights * np.arange(mask.shape[0])).sum() / weights.sum())
    place = (centroid - rows[0]) / (rows[-1] - rows[0])
    zone = ZONES[int(np.clip(place * 3, 0, 2))]
    return zone, min(abs(place - 1 / 3), abs(place - 2 / 3))


def cardiomegaly(thorax: Thorax) -> Lesion:
    """The heart itself, drawn large by the thorax."""
    nothing = np.zeros_like(thorax.down)
    finding = Finding("cardiomegaly", "", "", thorax.heart_mask)
    return Lesion(finding, nothing, nothing, nothing)


def place_lesion(name: str, side: str, thorax: Thorax, generator: np.random.Generator) -> Lesion:
    """Place a lesion of the lung on a side, drawing again until its zone is beyond doubt."""
    maker = _MAKERS[name]
    lung = thorax.lungs[side]
    for _ in range(40):
        mask, fluid, tissue, emptied = maker(thorax, side, generator)
        if mask.sum() < 60:
            continue
        zone, distance = zone_of(mask, lung)
        if distance >= _BORDER:
            return Lesion(Finding(name, side, zone, mask), fluid, tissue, emptied)
    raise RuntimeError(f"no place found for {name} in the {side} lung")


_Parts = tuple[Mask, Image, Image, Image]


def _draw_centre(
    thorax: Thorax, side: str, clearance: float, generator: np.random.Generator
) -> tuple[float, float]:
    """Draw a place in the visible lung: each zone as likely as the others."""
    depth = thorax.frame.depth(thorax.lungs[side])
    rows = np.flatnonzero(thorax.lungs[side].any(axis=1))
    third = (rows[-1] - rows[0]) / 3
    top = rows[0] + third * int(generator.integers(3))
    # The base is narrow above the dome's edge: ask for less room there rather than find none.
    for room in (clearance, 0.6 * clearance, 0.3 * clearance):
        y, x = np.nonzero(depth[int(top) : int(top + third)] > room)
        if len(y):
            pick = int(generator.integers(len(y)))
            return float(x[pick]), float(y[pick] + int(top))
    raise RuntimeError("the lung has no room for a lesion")


def _pixels(frame: Frame) -> tuple[Image, Image]:
    x = np.arange(frame.width, dtype=np.float32)[None, :]
    y = np.arange(frame.height, dtype=np.float32)[:, None]
    return x, y


def _consolidation(thorax: Thorax, side: str, generator: np.random.Generator) -> _Parts:
    frame = thorax.frame
    radius = generator.uniform(0.17, 0.29)
    x0, y0 = _draw_centre(thorax, side, 0.55 * radius, generator)
    x, y = _pixels(frame)
    aspect = generator.uniform(0.75, 1.3)
    reach = np.hypot((x - x0) * aspect, (y - y0) / aspect) / (radius * frame.scale)
    patchy = _cloud(frame, 0.065, generator)
    fine = _cloud(frame, 0.022, generator)
    edge = np.clip((1.0 - reach + 0.28 * patchy) / 0.35, 0, 1)
    lung = frame.blur(thorax.lungs[side], 0.006)
    fluid = edge * np.clip(generator.uniform(0.42, 0.62) + 0.10 * patchy + 0.06 * fine, 0, 0.85)
    mask = (edge > 0.4) & thorax.lungs[side]
    nothing = np.zeros_like(fluid)
    return mask, (fluid * lung).astype(np.float32), nothing, nothing


def _nodule(thorax: Thorax, side: str, generator: np.random.Generator) -> _Parts:
    frame = thorax.frame
    radius = generator.uniform(0.060, 0.095)  # 0.8 to 1.3 cm
    x0, y0 = _draw_centre(thorax, side, 1.35 * radius, generator)
    x, y = _pixels(frame)
    wobble = 1 + 0.07 * np.sin(3 * np.arctan2(y - y0, x - x0) + generator.uniform(0, 6.3))
    reach = np.hypot(x - x0, y - y0) / (radius * frame.scale) * wobble
    # Denser than water, as a granuloma is, so that a person finds it between ribs and vessels.
    tissue = generator.uniform(2.6, 3.8) * np.sqrt(np.clip(1 - reach**2, 0, 1))
    nothing = np.zeros_like(tissue)
    mask = (reach < 1) & thorax.lungs[side]
    return mask, nothing, frame.blur(tissue, 0.006), nothing


def _effusion(thorax: Thorax, side: str, generator: np.random.Generator) -> _Parts:
    frame, sign = thorax.frame, SIDES[side]
    lateral, down = thorax.across * sign, thorax.down
    level = generator.uniform(0.22, 0.42)
    # A meniscus: nearly level in the middle, climbing along the chest wall.
    climb = generator.uniform(0.16, 0.30) * np.clip((lateral - 0.35) / 0.6, 0, 1.2) ** 2.2
    surface = level - climb
    wet = np.clip((down - surface) / generator.uniform(0.05, 0.09), 0, 1)
    lung = frame.blur(thorax.lungs[side], 0.006)
    mask = (wet > 0.5) & thorax.lungs[side]
    fluid = np.asarray(wet * lung * generator.uniform(0.86, 0.97), np.float32)
    nothing = np.zeros_like(fluid)
    tissue = np.asarray(fluid * generator.uniform(0.8, 2.0), np.float32)
    return mask, fluid, tissue, nothing


def _pneumothorax(thorax: Thorax, side: str, generator: np.random.Generator) -> _Parts:
    frame, sign = thorax.frame, SIDES[side]
    outline = mirrored(thorax.lung_outlines[side], sign)  # back to (lateral, down)
    hilum = np.array([0.16, 0.35])
    # The lung sinks towards its root, most at the apex where the air collects.
    apex = np.clip((0.75 - outline[:, 1:]) / 1.75, 0, 1) ** 1.5
    shrink = 1 - generator.uniform(0.24, 0.38) * apex
    shrunk = (outline - hilum) * shrink + hilum
    shrunk[:, 0] = np.where(outline[:, 0] < 0.3, outline[:, 0], shrunk[:, 0])
    curve = smooth_outline(mirrored(shrunk, sign))
    lung = frame.fill(curve)
    space = thorax.lungs[side] & ~lung
    rows = np.flatnonzero(thorax.lungs[side].any(axis=1))
    space[int(rows[0] + 0.60 * (rows[-1] - rows[0])) :] = False
    canvas = np.zeros(lung.shape, np.uint8)
    frame.stroke(canvas, np.concatenate([curve, curve[:1]]), 0.012, 255)
    line = np.where(thorax.lungs[side], frame.blur(canvas, 0.003), 0) * np.float32(0.55 / 255)
    near_space = frame.blur(space, 0.03) > 0.05
    nothing = np.zeros_like(thorax.down)
    emptied = frame.blur(space, 0.003)
    return space, nothing, np.where(near_space, line, 0).astype(np.float32), emptied


def _cloud(frame: Frame, grain: float, generator: np.random.Generator) -> Image:
    """Smooth noise of unit variance whose blotches are `grain` units wide."""
    coarse = max(2, round(grain * frame.scale / 3))  # drawn small and enlarged, for speed
    shape = (frame.height // coarse + 2, frame.width // coarse + 2)
    noise = generator.standard_normal(shape, dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3.0)
    large = cv2.resize(smooth, (frame.width, frame.height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large / smooth.std(), np.float32)


_MAKERS: dict[str, Callable[[Thorax, str, np.random.Generator], _Parts]] = {
    "consolidation": _consolidation,
    "nodule": _nodule,
    "pleural effusion": _effusion,
    "pneumothorax": _pneumothorax,
}
