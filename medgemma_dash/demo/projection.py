"""From thicknesses to a picture: Beer-Lambert attenuation, scatter, noise, display."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from medgemma_dash.demo.findings import Lesion
from medgemma_dash.demo.frame import Frame, Image
from medgemma_dash.demo.thorax import Thorax

# Effective linear attenuation at about 120 kVp, per centimetre (NIST XCOM near 60 keV: water
# 0.206, cortical bone 0.6; the rib's spongy core and beam hardening make bone less).
_SOFT_TISSUE = 0.19
_BONE_OVER_TISSUE = 0.26
_LUNG_DENSITY = 0.26  # of soft tissue, in inspiration


@dataclass(frozen=True)
class Technique:
    """How the film was taken and is shown."""

    photons: float  # per pixel in open air, sets the noise
    scatter: float  # share of the primary beam
    equalisation: float  # how much of the slow shading the display takes out, 0 to 1
    brightness: float
    contrast: float
    collimation: tuple[int, int, int, int]  # black borders: top, bottom, left, right, in pixels
    marker: bool


def draw_technique(generator: np.random.Generator) -> Technique:
    """Draw exposure and display settings."""
    uniform = generator.uniform
    borders = [0, 0, 0, 0]
    for edge in range(4):
        if generator.random() < 0.18:
            borders[edge] = int(generator.integers(3, 16))
    return Technique(
        photons=float(np.exp(uniform(np.log(6e4), np.log(3e5)))),
        scatter=uniform(0.10, 0.28),
        equalisation=uniform(0.20, 0.45),
        brightness=uniform(-0.04, 0.05),
        contrast=uniform(0.90, 1.10),
        collimation=(borders[0], borders[1], borders[2], borders[3]),
        marker=bool(generator.random() < 0.6),
    )


def project(
    thorax: Thorax,
    bone: Image,
    blood: Image,
    lesions: tuple[Lesion, ...],
    technique: Technique,
    generator: np.random.Generator,
) -> NDArray[np.uint8]:
    """Return the film, uint8 (height, width), dense parts bright."""
    frame = thorax.frame
    lung = thorax.lung
    dense = np.full_like(lung, _LUNG_DENSITY)
    tissue = np.zeros_like(lung)
    for lesion in lesions:
        dense = dense + (1 - dense) * lesion.fluid
        dense = dense * (1 - 0.93 * lesion.emptied)
        blood = blood * (1 - lesion.emptied) * (1 - 0.8 * lesion.fluid)
        tissue = tissue + lesion.tissue
    texture = _texture(frame, generator)
    air = np.minimum(lung * (1 - dense) * (1 + 0.02 * texture), 0.92 * thorax.soft)
    path = thorax.soft - air - np.minimum(thorax.air, 0.5 * thorax.soft) + blood + tissue
    path = np.where(thorax.body_mask, np.maximum(path, 0), 0)
    integral = _SOFT_TISSUE * path + _BONE_OVER_TISSUE * np.where(thorax.body_mask, bone, 0)

    primary = np.exp(-integral)  # Beer-Lambert, intensity in open air = 1
    veil = _slow(primary, frame.scale * 0.35)
    intensity = primary + technique.scatter * np.minimum(veil, 0.25)
    quanta = generator.standard_normal(intensity.shape, dtype=np.float32)
    intensity = intensity + quanta * np.sqrt(intensity / technique.photons)
    return _display(np.maximum(intensity, 1e-4), frame, technique)


def _display(intensity: Image, frame: Frame, technique: Technique) -> NDArray[np.uint8]:
    density = -np.log(intensity).astype(np.float32)
    body = density > 0.25
    density = density - technique.equalisation * _slow(np.maximum(density, 0.6), frame.scale * 0.5)
    # The display's range is set by the body, not by the open air beside it.
    low, high = np.quantile(density[::4, ::4][body[::4, ::4]], [0.02, 0.985])
    value = (density - low) / max(float(high - low), 1e-3)
    value = 0.5 + (value - 0.5) * technique.contrast + technique.brightness
    # A toe and a shoulder, as film has, instead of clipping: deep blacks and whites keep structure.
    value = np.where(value < 0.12, 0.12 * np.exp(np.minimum(value / 0.12 - 1, 0)), value)
    value = np.where(value > 0.85, 1 - 0.15 * np.exp(-(np.maximum(value - 0.85, 0)) / 0.15), value)
    grey = np.clip(value * 255, 0, 255)
    open_air = intensity > 0.8
    film: NDArray[np.uint8] = np.where(open_air, np.minimum(grey, 10), grey).astype(np.uint8)
    _stamp(film, technique)
    return film


def _stamp(film: NDArray[np.uint8], technique: Technique) -> None:
    """Put the side marker and the collimator's edges on the film, in place."""
    height, width = film.shape
    top, bottom, left, right = technique.collimation
    if technique.marker:
        # A lead "L" beside the patient's left shoulder: on the image's right.
        place = (width - right - 34, top + 34)
        cv2.putText(film, "L", place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, 235, 2, cv2.LINE_AA)
    film[:top] = 0
    film[height - bottom :] = 0
    film[:, :left] = 0
    film[:, width - right :] = 0


def _slow(image: Image, radius: float) -> Image:
    """Blur widely, on a small copy."""
    small = cv2.resize(image, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), radius / 8)
    shape = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(small, shape, interpolation=cv2.INTER_LINEAR), np.float32)


def _texture(frame: Frame, generator: np.random.Generator) -> Image:
    """Fine lung structure, unit variance."""
    noise = generator.standard_normal((frame.height // 2, frame.width // 2), dtype=np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.1)
    large = cv2.resize(smooth, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large / smooth.std(), np.float32)
