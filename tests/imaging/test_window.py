"""The window is the LINEAR function of DICOM PS3.3 C.11.2.1.2.1."""

import numpy as np
import pytest

from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging import apply_window, load_radiograph, negative
from medgemma_dash.imaging.window import EIGHT_BIT, spanning_window
from tests.imaging.dicom_files import native, sample_picture


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


@pytest.mark.parametrize("width", [1e-30, 1e-6, 0.3, 1.0, 900.0])
def test_exact_window_has_a_meaning_at_any_positive_width(width: float) -> None:
    centre = 7 * width
    x = np.linspace(centre - 2 * width, centre + 2 * width, 101, dtype=np.float32)[None]
    shown = apply_window(x, Window("", centre, width, exact=True))
    expected = np.clip(((x.astype(float) - centre) / width + 0.5) * 255, 0, 255)
    np.testing.assert_array_equal(shown, np.rint(expected))


def test_exact_window_far_from_the_values_is_black_and_white() -> None:
    x = np.array([[-3e38, 0.0, 3e38]], np.float32)
    shown = apply_window(x, Window("", 0.0, 5e-324, exact=True))
    assert shown[0, [0, 2]].tolist() == [0, 255]


@pytest.mark.parametrize("span", [1e-30, 1e-4, 0.7, 1.0, 4000.0])
def test_spanning_window_reaches_black_and_white_over_any_span(span: float) -> None:
    x = np.array([[0.0, span / 2, span]], np.float32)
    shown = apply_window(x, spanning_window("", 0.0, float(x[0, 2])))
    assert shown[0, [0, 2]].tolist() == [0, 255]
    assert abs(int(shown[0, 1]) - 128) <= 1  # 127.5 rounds either way


@pytest.mark.parametrize("width", [0.0, -3.0, float("nan"), float("inf")])
def test_exact_window_without_a_meaning_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match="wider than 0"):
        apply_window(np.zeros((4, 4), np.float32), Window("", 0.0, width, exact=True))


@pytest.mark.parametrize("width", [0.0, 0.5, -3.0, float("nan"), float("inf")])
def test_window_without_a_meaning_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match="at least 1 wide"):
        apply_window(np.zeros((4, 4), np.float32), Window("", 0.0, width))


@pytest.mark.parametrize("bits", [8, 12])
def test_a_negative_shows_the_negative_in_every_window(bits: int) -> None:
    film = load_radiograph(native(sample_picture(40, 48, bits), bits=bits))
    turned = negative(film)
    np.testing.assert_array_equal(turned.pixels, 255 - film.pixels)
    for window, mirror in zip(film.windows, turned.windows, strict=True):
        shown = apply_window(film.intensities, window).astype(int)
        # Half a grey level is rounded to the even one, here as there.
        assert np.abs(255 - shown - apply_window(turned.intensities, mirror)).max() <= 1
    assert turned.sha256 != film.sha256
    assert negative(film).sha256 == turned.sha256
