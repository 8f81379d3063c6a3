"""Colours: readable text, and a map that hides no more than it must."""

import numpy as np
import pytest

from medgemma_dash.figures.palette import (
    DARK,
    LIGHT,
    MAGNITUDE_SCALES,
    coverage,
    overlay_stops,
    scale_colours,
)


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("role", ["text", "muted", "accent"])
@pytest.mark.parametrize("ground", ["background", "panel"])
def test_text_colours_reach_aa(theme, role, ground):
    assert contrast(getattr(theme, role), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_bars_reach_the_contrast_of_graphics_and_text_on_accent_that_of_text(theme):
    assert contrast(theme.bar, theme.background) >= 3
    assert contrast(theme.on_accent, theme.accent) >= 4.5


def test_no_relevance_covers_nothing_and_the_peak_covers_all():
    assert coverage(np.array([0.0, 1.0]), 0.0).tolist() == [0.0, 1.0]


def test_coverage_never_falls_with_relevance():
    assert (np.diff(coverage(np.linspace(0, 1, 101), 0.2)) >= 0).all()


def test_below_the_threshold_nothing_is_painted():
    alphas = [
        (place, float(str(colour).rsplit(",", 1)[1].rstrip(")")))
        for place, colour in overlay_stops("Inferno", False, 0.3)
    ]
    assert all(alpha == 0 for place, alpha in alphas if place < 0.3)
    assert all(alpha > 0 for place, alpha in alphas if place > 0.3)


def test_signed_scales_fade_towards_the_middle_and_are_red_above_it():
    stops = overlay_stops("RdBu", True, 0.0)
    assert str(stops[len(stops) // 2][1]).endswith("0.000)")
    blue_end, red_end = scale_colours("RdBu", 2)
    assert blue_end[2] > blue_end[0]
    assert red_end[0] > red_end[2]


@pytest.mark.parametrize("name", MAGNITUDE_SCALES)
def test_magnitude_scales_grow_brighter_throughout(name):
    weights = np.array([0.2126, 0.7152, 0.0722])
    brightness = scale_colours(name, 32) / 255 @ weights
    assert (np.diff(brightness) > 0).all()
