"""Sizes of a figure on paper."""

MM_PER_INCH = 25.4
POINTS_PER_INCH = 72
DPI = 300
NARROWEST_MM, WIDEST_MM = 40, 400
# In a figure of a chosen width: journals ask for 6 at least.
TEXT_POINTS = 7


def width_in_pixels(width_mm: float | int) -> int:
    """At 300 dots an inch. Raises ValueError for what no figure of a paper is wide."""
    if not NARROWEST_MM <= width_mm <= WIDEST_MM:
        raise ValueError(f"A figure is {NARROWEST_MM} to {WIDEST_MM} mm wide, not {width_mm:g}.")
    return round(width_mm / MM_PER_INCH * DPI)


def text_in_pixels(width_mm: float | int | None) -> int | None:
    """How high the text of a figure of a chosen width is; None where none is chosen."""
    return None if width_mm is None else round(TEXT_POINTS / POINTS_PER_INCH * DPI)


def text_in_units(width_mm: float | int, units: int) -> float:
    """How high the text of a drawing is that has so many units in its width.

    Raises ValueError for what no figure of a paper is wide.
    """
    width_in_pixels(width_mm)
    return TEXT_POINTS / POINTS_PER_INCH * MM_PER_INCH / width_mm * units
