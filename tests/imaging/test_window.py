"""The window is the LINEAR function of DICOM PS3.3 C.11.2.1.2.1."""

import numpy as np
import pytest

from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging import apply_window
from medgemma_dash.imaging.window import EIGHT_BIT, spanning_window


def slow_window(x: float, centre: float, width: float) -> float:
    """The standard's pseudo-code, one value at a time."""
    if x <= centre - 0.5 - (width - 1) / 2:
        return 0.0
    if x > centre - 0.5 + (width - 1) / 2:
        return 255.0
    return ((x - (centre - 0.5)) / (width - 1) + 0.5) * 255.0


@pytest.mark.parametrize("seed", range(8))
def test_window_equals_the_standards_pseudo_code(seed: int) -> None:
    random = np.random.default_rng(seed)
    centre, width = random.uniform(-2000, 5000), random.uniform(2, 6000)
    x = random.uniform(-3000, 8000, (37, 41)).astype(np.float32)
    expected = np.array([[round(slow_window(float(v), centre, width)) for v in row] for row in x])
    np.testing.assert_array_equal(apply_window(x, Window("", centre, width)), expected)


def test_window_of_width_one_is_a_threshold() -> None:
    x = np.array([[98.0, 99.5, 99.6, 200.0]], np.float32)
    np.testing.assert_array_equal(apply_window(x, Window("", 100.0, 1.0)), [[0, 0, 255, 255]])


def test_full_range_leaves_eight_bits_as_they_are() -> None:
    x = np.arange(256, dtype=np.float32).reshape(16, 16)
    np.testing.assert_array_equal(apply_window(x, EIGHT_BIT), x)


def test_spanning_window_reaches_black_and_white() -> None:
    x = np.array([[-12.0, 3000.0]], np.float32)
    np.testing.assert_array_equal(apply_window(x, spanning_window("", -12.0, 3000.0)), [[0, 255]])


@pytest.mark.parametrize("width", [0.0, 0.5, -3.0, float("nan"), float("inf")])
def test_window_without_a_meaning_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match="at least 1 wide"):
        apply_window(np.zeros((4, 4), np.float32), Window("", 0.0, width))
