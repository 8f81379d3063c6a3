"""The body is foreground, whatever surrounds it."""

from typing import Any

import numpy as np
import pytest

from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import body_mask

SEEDS = range(FIRST_EVALUATION_SEED, FIRST_EVALUATION_SEED + 8)
# The recipe erodes the mask by 9 of 512 pixels on purpose, which alone costs 0.04 to 0.06.
LEAST_OVERLAP = 0.78


def overlap(found: Any, truth: Any) -> float:
    return float((found & truth).sum() / (found | truth).sum())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("surround", ["dark", "light", "white frame"])
def test_body_is_found_within_any_surround(seed: int, surround: str) -> None:
    drawn = synthesize(seed)
    pixels, body = drawn.pixels, drawn.body
    if surround == "light":
        pixels = 255 - pixels
    if surround == "white frame":
        pixels, body = np.pad(pixels, 25, constant_values=255), np.pad(body, 25)
    assert overlap(body_mask(pixels), body) > LEAST_OVERLAP


@pytest.mark.parametrize("light", [False, True])
def test_shape_on_an_even_ground_is_the_foreground(light: bool) -> None:
    y, x = np.mgrid[:300, :240]
    shape = ((y - 160) / 110) ** 2 + ((x - 120) / 80) ** 2 <= 1
    pixels = np.where(shape, 60 if light else 190, 250 if light else 5).astype(np.uint8)
    assert overlap(body_mask(pixels), shape) > 0.85


def test_mask_has_the_pictures_size_and_colour_changes_nothing() -> None:
    drawn = synthesize(SEEDS[0]).pixels
    grey, colour = body_mask(drawn), body_mask(np.repeat(drawn[:, :, None], 3, axis=2))
    assert grey.shape == drawn.shape
    assert grey.dtype == bool
    np.testing.assert_array_equal(grey, colour)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_blank_picture_is_all_body(value: int) -> None:
    assert body_mask(np.full((100, 80), value, np.uint8)).mean() > 0.15
