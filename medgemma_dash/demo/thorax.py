"""Soft tissue and air of a parametric thorax: body, lungs, heart, mediastinum, airways, abdomen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from medgemma_dash.demo.frame import Frame, Image, Mask, Points, mirrored, smooth_outline

SIDES = {"right": -1, "left": 1}

# Inner width of the thoracic cage in units, at its widest: the denominator of the cardiothoracic
# ratio (heart width / cage width), which is normal below 0.5 on a PA film.
CAGE_WIDTH = 1.94
_HEART_WIDTH = 0.79  # of the outline below, unscaled

_LUNG = np.array([
    (0.20, -0.97), (0.34, -1.04), (0.52, -0.97), (0.70, -0.76), (0.84, -0.43), (0.915, -0.08),
    (0.96, 0.30), (0.975, 0.58), (0.965, 0.74), (0.965, 0.74), (0.86, 0.60), (0.66, 0.47),
    (0.42, 0.43), (0.20, 0.50), (0.12, 0.56), (0.12, 0.15), (0.125, -0.25), (0.13, -0.62),
])  # fmt: skip
_DOME = slice(8, 15)  # the corners that lie on the diaphragm
_HEART = np.array([
    (-0.13, -0.28), (-0.20, 0.00), (-0.26, 0.20), (-0.245, 0.40), (-0.12, 0.54), (0.10, 0.58),
    (0.34, 0.58), (0.50, 0.48), (0.53, 0.32), (0.43, 0.06), (0.27, -0.15), (0.19, -0.30),
])  # fmt: skip
_HEART_CENTRE = np.array([0.06, 0.34])
_TORSO = np.array([
    (0.30, -1.90), (0.29, -1.30), (0.36, -1.16), (0.62, -1.09), (1.00, -1.02), (1.32, -0.93),
    (1.55, -0.72), (1.50, -0.40), (1.24, -0.08), (1.13, 0.22), (1.14, 0.70), (1.18, 2.20),
])  # fmt: skip


@dataclass(frozen=True)
class Build:
    """How this patient is made; ratios are relative to the outlines above."""

    cardiothoracic_ratio: float
    lung_width: float
    lung_height: float
    dome_height: tuple[float, float]  # units, right and left
    girth: float
    fat: float  # extra soft tissue at the sides, units
    breast: float  # thickness, cm; 0 for none
    stomach_bubble: bool
    aortic_knob: float


@dataclass(frozen=True)
class Thorax:
    """Thickness maps in centimetres along the beam, all (height, width), and the outlines."""

    frame: Frame
    build: Build
    across: Image
    down: Image
    soft: Image  # body and what adds to it, lungs still filled with tissue
    air: Image  # air of airways and stomach
    lung: Image  # lung tissue and its air, where no heart lies before it
    body_mask: Mask
    heart_mask: Mask
    lungs: dict[str, Mask]  # visible lung, per side of the patient
    lung_outlines: dict[str, Points]


def draw_build(generator: np.random.Generator, enlarged_heart: bool) -> Build:
    """Draw a patient; heart sizes leave a gap between normal and enlarged."""
    uniform = generator.uniform
    ratio = uniform(0.57, 0.67) if enlarged_heart else uniform(0.39, 0.475)
    return Build(
        cardiothoracic_ratio=ratio,
        lung_width=uniform(0.95, 1.03),
        lung_height=uniform(0.93, 1.06),
        dome_height=(uniform(-0.03, 0.06), uniform(-0.07, 0.02)),
        girth=uniform(0.88, 1.12),
        fat=uniform(0.0, 0.12),
        breast=uniform(1.0, 3.2) if generator.random() < 0.45 else 0.0,
        stomach_bubble=bool(generator.random() < 0.55),
        aortic_knob=uniform(0.75, 1.25),
    )


def draw_thorax(frame: Frame, build: Build, generator: np.random.Generator) -> Thorax:
    """Draw the soft parts of a patient onto a film."""
    across, down = frame.coordinates()
    body_mask, body = _body(frame, build, across)
    outlines = {
        side: mirrored(_lung_outline(build, number), sign)
        for number, (side, sign) in enumerate(SIDES.items())
    }
    heart_mask = frame.fill(smooth_outline(_heart_outline(build)))
    heart = 10.5 * np.sqrt(np.clip(frame.depth(heart_mask) / 0.34, 0, 1))
    great_vessels = _great_vessels(frame, build)

    fields = {side: frame.fill(smooth_outline(outline)) for side, outline in outlines.items()}
    lung = np.zeros_like(body)
    for field in fields.values():
        lung += 15.0 * np.sqrt(np.clip(frame.depth(field) / 0.42, 0, 1))
    # The heart and the great vessels push lung aside; a little remains behind them.
    lung = np.maximum(lung - heart - great_vessels, 0.10 * lung)

    soft = body + _breasts(build, across, down) + _abdomen(build, down)
    hidden = heart_mask | (great_vessels > 0.5)
    return Thorax(
        frame=frame,
        build=build,
        across=across,
        down=down,
        soft=np.where(body_mask, soft, 0).astype(np.float32),
        air=_airways(frame) + _stomach(build, across, down, generator),
        lung=frame.blur(lung, 0.006),
        body_mask=body_mask,
        heart_mask=heart_mask,
        lungs={side: _largest_part(field & ~hidden) for side, field in fields.items()},
        lung_outlines=outlines,
    )


def _largest_part(mask: Mask) -> Mask:
    """Drop the slivers that the heart cuts off at the lung's inner base."""
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return np.asarray(labels == 1 + int(np.argmax(statistics[1:, cv2.CC_STAT_AREA])))


def _lung_outline(build: Build, number: int) -> Points:
    outline: Points = _LUNG * np.array([build.lung_width, build.lung_height])
    # A dome rises in its middle; the costophrenic angle stays where it is.
    weights = np.array([0.0, 0.0, 0.4, 0.9, 1.0, 0.8, 0.6])
    outline[_DOME, 1] -= weights * build.dome_height[number]
    return outline


def _heart_outline(build: Build) -> Points:
    wide = build.cardiothoracic_ratio * CAGE_WIDTH / _HEART_WIDTH
    # An enlarged heart grows sideways first; its base stays on the diaphragm.
    outline: Points = (_HEART - _HEART_CENTRE) * np.array([wide, wide**0.35]) + _HEART_CENTRE
    outline[:, 1] -= max(outline[:, 1].max() - 0.60, 0.0)
    return outline


def _body(frame: Frame, build: Build, across: Image) -> tuple[Mask, Image]:
    half = _TORSO.copy()
    half[7:, 0] += build.fat
    torso = np.concatenate([half, mirrored(half[::-1], -1)])
    mask = frame.fill(smooth_outline(torso))
    for sign in (-1, 1):
        arm = np.array([(1.42, -0.80), (1.78, -0.45), (2.05, 0.8), (1.62, 0.8), (1.42, -0.25)])
        mask |= frame.fill(mirrored(arm, sign))
    width = 1.20 + build.fat
    trunk = 21.0 * build.girth * np.sqrt(np.clip(1 - (across / width) ** 2, 0, 1))
    limb = 9.0 * np.sqrt(np.clip(frame.depth(mask) / 0.22, 0, 1))
    edge = np.sqrt(np.clip(frame.depth(mask) / 0.10, 0, 1))
    return mask, frame.blur(np.maximum(trunk * edge, limb), 0.008)


def _great_vessels(frame: Frame, build: Build) -> Image:
    """Superior vena cava, aortic arch and knob, pulmonary trunk: in cm, (height, width)."""
    knob = 0.10 * build.aortic_knob
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    cava = np.array([(-0.17, -0.72), (-0.19, -0.30), (-0.17, 0.0), (0.0, 0.0), (0.0, -0.75)])
    shapes = (
        (smooth_outline(cava), 4.5),
        (circle * knob + np.array([0.155 + 0.4 * knob, -0.40]), 5.5),
        (circle * np.array([0.13, 0.16]) + np.array([0.155, -0.20]), 5.0),
        (np.array([(-0.12, -1.4), (0.13, -1.4), (0.15, 0.3), (-0.13, 0.3)]), 4.0),
        # The descending aorta's edge is seen through the heart.
        (np.array([(0.02, -0.4), (0.20, -0.4), (0.17, 0.9), (0.02, 0.9)]), 2.2),
    )
    total = np.zeros((frame.height, frame.width), np.float32)
    for outline, thickness in shapes:
        depth = frame.depth(frame.fill(outline))
        total = np.maximum(total, thickness * np.sqrt(np.clip(depth / 0.09, 0, 1)))
    return total


def _airways(frame: Frame) -> Image:
    canvas = np.zeros((frame.height, frame.width), np.uint8)
    trachea = np.array([(0.0, -1.9), (-0.005, -1.0), (-0.015, -0.6), (-0.01, -0.33)])
    frame.stroke(canvas, trachea, 0.115, 170)
    frame.stroke(canvas, np.array([(-0.01, -0.33), (-0.12, -0.17), (-0.20, -0.07)]), 0.075, 100)
    frame.stroke(canvas, np.array([(-0.01, -0.33), (0.14, -0.15), (0.24, -0.06)]), 0.065, 100)
    return frame.blur(canvas, 0.016) * np.float32(2.6 / 170)


def _breasts(build: Build, across: Image, down: Image) -> Image:
    lateral = (np.abs(across) - 0.56) / 0.44
    vertical = (down - 0.22) / np.where(down > 0.22, 0.36, 0.75).astype(np.float32)
    shape = np.clip(1 - lateral**2 - vertical**2, 0, 1)
    return np.asarray(build.breast * shape**0.6, np.float32)


def _abdomen(build: Build, down: Image) -> Image:
    return np.asarray(3.0 * build.girth * np.clip((down - 0.35) / 0.6, 0, 1), np.float32)


def _stomach(build: Build, across: Image, down: Image, generator: np.random.Generator) -> Image:
    place_across, place_down = generator.uniform(0.38, 0.55), generator.uniform(0.72, 0.80)
    size = generator.uniform(0.13, 0.20)
    if not build.stomach_bubble:
        return np.zeros_like(across)
    shape = 1 - ((across - place_across) / size) ** 2 - ((down - place_down) / (0.55 * size)) ** 2
    return np.asarray(4.5 * np.sqrt(np.clip(shape, 0, 1)), np.float32)
