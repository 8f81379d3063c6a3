"""Lung vessels: trees that branch from the hila and thin towards the edge of the lung."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medgemma_dash.demo.frame import Frame, Image, Mask, mirrored
from medgemma_dash.demo.thorax import SIDES, Thorax

_THICKNESS = 2.4  # centimetres of blood for a canvas value of 255
_STEP = 0.075  # units between two branchings


def draw_vessels(thorax: Thorax, generator: np.random.Generator) -> Image:
    """Return blood thickness in centimetres, (height, width), within the visible lungs."""
    frame = thorax.frame
    canvas = np.zeros((frame.height, frame.width), np.uint8)
    for sign in SIDES.values():
        _draw_tree(frame, canvas, sign, generator)
    visible: Mask = thorax.lungs["right"] | thorax.lungs["left"]
    blood = frame.blur(canvas, 0.005) * np.float32(_THICKNESS / 255)
    return np.asarray(np.where(visible, blood, 0), np.float32) + _hila(thorax)


def _draw_tree(
    frame: Frame, canvas: NDArray[np.uint8], sign: int, generator: np.random.Generator
) -> None:
    # Angles from straight lateral, negative upwards: more and larger vessels run to the base.
    angle = np.concatenate([np.linspace(-1.35, -0.35, 5), np.linspace(-0.1, 1.5, 8)])
    angle = angle + generator.normal(0, 0.1, angle.shape)
    hilum = np.array([0.24, -0.10 if sign < 0 else -0.15])
    start = hilum + generator.normal(0, 0.03, (len(angle), 2))
    width = np.full(len(angle), 0.030)
    # Breadth first, so that the thick vessels lie under the thin ones.
    for _ in range(10):
        angle = angle + generator.normal(0, 0.13, angle.shape)
        stop = start + _STEP * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        value = np.clip(70 + 6500 * width, 0, 255) * 0.75
        frame.stroke_many(canvas, mirrored(start, sign), mirrored(stop, sign), width, value)
        grows = width >= 0.006
        stop, angle, width = stop[grows], angle[grows], width[grows]
        forks = generator.random(len(width)) < 0.42
        turn = generator.choice([-1.0, 1.0], len(width)) * generator.uniform(0.35, 0.8, len(width))
        start = np.concatenate([stop, stop[forks]])
        angle = np.concatenate([angle, (angle + turn)[forks]])
        width = np.concatenate([width * 0.82, (width * 0.62)[forks]])


def _hila(thorax: Thorax) -> Image:
    total = np.zeros_like(thorax.down)
    for sign in SIDES.values():
        level = -0.09 if sign < 0 else -0.15
        lateral = sign * thorax.across - 0.235
        shape = (lateral / 0.085) ** 2 + ((thorax.down - level) / 0.15) ** 2
        total += 1.5 * np.exp(-1.4 * shape)
    return np.asarray(total, np.float32)
