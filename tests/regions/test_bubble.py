"""The lung ends at the diaphragm, also where what lies below it is as dark."""

import numpy as np
import pytest

from medgemma_dash.regions.bubble import base_above_gas

LIVER = np.array([0.2, 0.8, 0.4])
DEEPER = np.array([0.2, 0.9, 0.4])
LINE = 0.7


def film(line: float, from_column: int = 0) -> np.ndarray:
    """Dark as lung to the outline's end, with a line of that brightness across it."""
    square = np.full((256, 256), -1.0, np.float32)
    at = round(LINE * 256)
    square[at - 2 : at + 3, from_column:] += line
    return square


def test_a_line_in_an_outline_too_deep_is_the_diaphragm() -> None:
    base = base_above_gas(film(1.0), 0.5, LIVER, DEEPER)
    assert base is not None
    # The outline's dome, at 0.83 of its height, then lies on the line.
    assert DEEPER[0] + 0.83 * (base - DEEPER[0]) == pytest.approx(LINE, abs=0.015)
    assert base < LIVER[1] + 0.03


@pytest.mark.parametrize(
    ("square", "other"),
    [
        (film(0.3), DEEPER),  # a rib
        (film(1.0, from_column=192), DEEPER),  # a band over half of the width
        (film(1.0), np.array([0.2, 0.82, 0.4])),  # no deeper than the other lung: a consolidation
        (film(0.0), DEEPER),
    ],
    ids=["faint", "narrow", "level", "none"],
)
def test_anything_else_is_lung(square: np.ndarray, other: np.ndarray) -> None:
    assert base_above_gas(square, 0.5, LIVER, other) is None
