"""Sides come from the file; where it is silent the convention is assumed, and said to be."""

import pytest

from medgemma_dash.imaging.laterality import read_laterality


@pytest.mark.parametrize(
    ("orientation", "view", "side", "source", "warning"),
    [
        (("L", "F"), "PA", "left", "PatientOrientation L\\F", ""),
        (("LA", "FP"), "", "left", "PatientOrientation L\\F", ""),
        (("R", "F"), "PA", "right", "PatientOrientation R\\F", "against the radiological"),
        ((), "PA", "left", "assumed", "convention is assumed"),
        (("L", "H"), "PA", "left", "PatientOrientation L\\H", "upside down"),
        (("F", "L"), "AP", "unknown", "sideways", "sideways"),
        (("A", "F"), "", "unknown", "lateral", "lateral view"),
        (("L", "F"), "LL", "unknown", "lateral", "lateral view"),
        (("L", "R"), "PA", "unknown", "cannot be read", "cannot be read"),
        (("L",), "PA", "unknown", "cannot be read", "cannot be read"),
        (("?", "!"), "PA", "unknown", "cannot be read", "cannot be read"),
        (("L", "F"), "LAO", "left", "PatientOrientation L\\F", "approximate"),
    ],
)
def test_orientation_is_read_or_admitted_unknown(
    orientation: tuple[str, ...], view: str, side: str, source: str, warning: str
) -> None:
    laterality, warnings = read_laterality(orientation, view)
    assert laterality == side
    assert source in laterality.source
    assert laterality.head == ("bottom" if "upside down" in warning else "top")
    assert warning in " ".join(warnings)
    assert bool(warnings) == bool(warning)


@pytest.mark.parametrize(
    ("orientation", "view", "contradicts"),
    [
        (("A", "F"), "PA", True),
        (("L", "F"), "LL", True),
        (("A", "F"), "LL", False),
        (("L", "F"), "PA", False),
        (("A", "F"), "", False),
        (("?", "!"), "LL", False),
    ],
)
def test_view_and_orientation_that_contradict_each_other_are_said_to(
    orientation: tuple[str, ...], view: str, contradicts: bool
) -> None:
    laterality, warnings = read_laterality(orientation, view)
    assert ("contradicts itself" in " ".join(warnings)) == contradicts
    assert (laterality == "left") == (view == "PA" and not contradicts)
