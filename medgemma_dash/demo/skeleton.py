"""Bone of the parametric thorax: ribs, clavicles, shoulder blades, spine, upper arms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medgemma_dash.demo.frame import Frame, Image, Points, mirrored, smooth_outline
from medgemma_dash.demo.thorax import Thorax

# Bone along the beam, centimetres, for a canvas value of 255.
_POSTERIOR_RIB, _ANTERIOR_RIB, _CLAVICLE = 0.95, 0.62, 1.35


def draw_skeleton(thorax: Thorax, generator: np.random.Generator) -> Image:
    """Return bone thickness in centimetres, (height, width)."""
    frame = thorax.frame
    spacing = generator.uniform(0.158, 0.178) * thorax.build.lung_height
    rib_width = generator.uniform(0.062, 0.078)
    total = np.zeros((frame.height, frame.width), np.float32)
    for paths, centimetres, width in (
        (_posterior_ribs(thorax, spacing), _POSTERIOR_RIB, rib_width),
        (_anterior_ribs(thorax, spacing), _ANTERIOR_RIB, 1.15 * rib_width),
        (_clavicles(generator), _CLAVICLE, 0.085),
    ):
        total += _hollow(frame, paths, width) * np.float32(centimetres / 255)
    total += _shoulders(frame)
    total += _spine(thorax)
    return total


def _hollow(frame: Frame, paths: list[Points], width: float) -> Image:
    """Draw bones with a dense cortex and a lighter core."""
    canvas = np.zeros((frame.height, frame.width), np.uint8)
    for path in paths:
        frame.stroke(canvas, path, width, 255)
    for path in paths:
        frame.stroke(canvas, path, 0.62 * width, 165)
    return frame.blur(canvas, 0.006)


def _cage_edge(thorax: Thorax, down: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Lateral edge of the rib cage at a level, units."""
    level = np.asarray(down) / thorax.build.lung_height
    edge = np.interp(level, [-1.1, -0.97, -0.76, -0.43, -0.08, 0.3, 0.6, 1.1],
                     [0.30, 0.55, 0.73, 0.87, 0.945, 0.99, 1.0, 1.0])  # fmt: skip
    return np.asarray(edge * thorax.build.lung_width)


def _posterior_ribs(thorax: Thorax, spacing: float) -> list[Points]:
    t = np.linspace(0, 1, 16)
    paths: list[Points] = []
    for number in range(11):
        top = -0.98 * thorax.build.lung_height + spacing * number
        drop = 0.16 + 0.022 * number
        edge = _cage_edge(thorax, top + drop)
        lateral = 0.08 + (edge - 0.08) * np.sin(t * np.pi / 2) ** 0.9
        down = top - 0.055 * np.sin(np.pi * np.minimum(t * 1.3, 1)) + drop * t**2.2
        rib = np.stack([lateral, down], axis=1)
        paths += [mirrored(rib, -1), mirrored(rib, 1)]
    return paths


def _anterior_ribs(thorax: Thorax, spacing: float) -> list[Points]:
    t = np.linspace(0, 1, 14)
    paths: list[Points] = []
    for number in range(7):
        start = -0.98 * thorax.build.lung_height + spacing * number + 0.16 + 0.022 * number
        edge = _cage_edge(thorax, start)
        end = 0.30 + 0.045 * number
        lateral = end + (edge - end) * np.cos(t * np.pi / 2)
        down = start + (0.20 + 0.02 * number) * t**0.8
        rib = np.stack([lateral, down], axis=1)
        paths += [mirrored(rib, -1), mirrored(rib, 1)]
    return paths


def _clavicles(generator: np.random.Generator) -> list[Points]:
    paths: list[Points] = []
    for sign in (-1, 1):
        rise = generator.uniform(0.10, 0.24)
        t = np.linspace(0, 1, 14)
        lateral = 0.09 + 1.12 * t
        down = -0.76 - rise * t - 0.045 * np.sin(2 * np.pi * t)
        paths.append(mirrored(np.stack([lateral, down], axis=1), sign))
    return paths


def _shoulders(frame: Frame) -> Image:
    """Shoulder blades, humeral heads and shafts."""
    blade = np.array([(0.90, -0.80), (1.18, -0.86), (1.30, -0.70), (1.16, -0.40), (1.02, -0.02),
                      (0.95, -0.10), (0.93, -0.45)])  # fmt: skip
    total = np.zeros((frame.height, frame.width), np.float32)
    canvas = np.zeros((frame.height, frame.width), np.uint8)
    for sign in (-1, 1):
        outline = mirrored(smooth_outline(blade), sign)
        total += frame.fill(outline) * np.float32(0.28)
        spine = mirrored(np.array([(0.93, -0.62), (1.15, -0.80), (1.36, -0.95)]), sign)
        frame.stroke(canvas, spine, 0.05, 110)
        frame.stroke(canvas, np.concatenate([outline, outline[:1]]), 0.02, 80)
        shaft = mirrored(np.array([(1.46, -0.76), (1.62, -0.3), (1.85, 0.5)]), sign)
        frame.stroke(canvas, shaft, 0.15, 180)
        head = mirrored(np.array([(1.40, -0.79), (1.43, -0.77)]), sign)
        frame.stroke(canvas, head, 0.27, 150)
    return frame.blur(total + canvas * np.float32(1.2 / 255), 0.010)


def _spine(thorax: Thorax) -> Image:
    """Vertebral bodies with discs between, pedicles and spinous processes."""
    frame = thorax.frame
    lateral, down = np.abs(thorax.across), thorax.down
    pitch = np.float32(0.168)
    phase = (down / pitch) % 1.0
    disc = np.exp(-(((phase - 0.5) / 0.10) ** 2))
    half = np.float32(0.098) + 0.012 * np.clip(down, -1, 1) - 0.006 * np.cos(2 * np.pi * phase)
    column = np.clip((half - lateral) / 0.02, 0, 1)
    pedicle = np.exp(-(((lateral - 0.062) / 0.020) ** 2) - ((phase - 0.02) / 0.13) ** 2)
    process = np.exp(-((lateral / 0.018) ** 2) - ((phase - 0.25) / 0.16) ** 2)
    bone = column * (1.35 - 0.5 * disc) + 0.5 * pedicle + 0.45 * process
    return frame.blur(bone, 0.005)
