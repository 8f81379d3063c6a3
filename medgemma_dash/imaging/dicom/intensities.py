"""Stored values to intensities, in the standard's order: modality LUT, VOI, then inversion.

Runs in the decoding process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float32, Shaped

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.dicom.layout import Layout
from medgemma_dash.imaging.dicom.numbers import decimals
from medgemma_dash.imaging.dicom.tables import read_tables
from medgemma_dash.imaging.dicom.windows import presets
from medgemma_dash.imaging.window import EIGHT_BIT, WHOLE_RANGE, mirrored, spanning_window
from medgemma_dash.imaging.window_names import distinct

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Values = Float32[np.ndarray, "rows cols"]

_BEYOND_MEASURE = 1e9
_GREY_LEVELS = 256
_TABLE_BITS = (
    "The file's lookup table does not keep to the number of bits that it states; its real range "
    "is used."
)


def intensities(
    dataset: Dataset, stored: Shaped[np.ndarray, "rows cols"], layout: Layout
) -> tuple[Values, tuple[Window, ...], tuple[str, ...]]:
    """Intensities, bright where the body is dense; the windows to show them in; notices."""
    low, high = _stored_range(layout)
    padding, warnings = _padding(dataset, stored)
    tables = read_tables(dataset, "ModalityLUTSequence", signed_input=layout.signed)
    slope, intercept = _line(dataset)
    rescaled = bool(tables) or (slope, intercept) != (1.0, 0.0)
    if tables:
        values, low, high = tables[0].apply(stored), 0.0, tables[0].highest
        warnings += () if tables[0].agrees else (_TABLE_BITS,)
    else:
        values = stored.astype(np.float32)
        if rescaled:
            values *= np.float32(slope)
            values += np.float32(intercept)
            low, high = sorted((low * slope + intercept, high * slope + intercept))
            warnings += _about_rescale(values, slope)
    windows: tuple[Window, ...] = ()
    if tables is None:
        warnings += (
            "The file's modality lookup table cannot be read; it is left out, and so are the "
            "windows and display tables that count in its units.",
        )
    else:
        windows, more = presets(dataset)
        warnings += more
        if not windows:
            values, low, high, windows, more = _look_up(dataset, values, low, high)
            warnings += more
    if not windows and layout.bits == 8 and not layout.signed and not rescaled:
        windows = (EIGHT_BIT,)
    if layout.photometric == "MONOCHROME1":
        np.subtract(np.float32(low + high), values, out=values)
        windows = tuple(mirrored(window, low + high) for window in windows)
    return *_with_whole_range(values, windows, padding), warnings


def _stored_range(layout: Layout) -> tuple[float, float]:
    if layout.signed:
        return -float(2 ** (layout.bits - 1)), float(2 ** (layout.bits - 1) - 1)
    return 0.0, float(2**layout.bits - 1)


def _padding(
    dataset: Dataset, stored: Shaped[np.ndarray, "rows cols"]
) -> tuple[Bool[np.ndarray, "rows cols"] | None, tuple[str, ...]]:
    limits = facts.padding_range(dataset)
    if limits is None:
        return None, ()
    mask = (stored >= limits[0]) & (stored <= limits[1])
    if mask.all():
        return None, ("By the file's padding value the whole picture is padding; it is shown.",)
    return (mask if mask.any() else None), ()


def _line(dataset: Dataset) -> tuple[float, float]:
    """Rescale slope and intercept; raises ImageError if they make no picture."""
    slope = (*decimals(dataset, "RescaleSlope"), 1.0)[0]
    intercept = (*decimals(dataset, "RescaleIntercept"), 0.0)[0]
    if slope is None or intercept is None:
        raise ImageError(
            "The DICOM file's rescale slope or intercept is not a number: it is damaged. Export "
            "it again."
        )
    if slope == 0 or max(abs(slope), abs(intercept)) > _BEYOND_MEASURE:
        raise ImageError(
            "The DICOM file's rescale slope and intercept turn every pixel into the same value, "
            "or one beyond measure: it is damaged. Export it again."
        )
    return slope, intercept


def _about_rescale(values: Values, slope: float) -> tuple[str, ...]:
    """Notice an intercept so large that single-precision numbers no longer tell values apart."""
    least, most = float(values.min()), float(values.max())
    step = float(np.spacing(np.float32(max(abs(least), abs(most)))))
    kept = round((most - least) / step) + 1
    if step <= abs(slope) or kept >= _GREY_LEVELS:
        return ()
    return (
        f"The file's rescale intercept is so large beside its slope that {kept} values are left "
        "apart: the picture has fewer grey levels than were stored.",
    )


def _look_up(
    dataset: Dataset, values: Values, low: float, high: float
) -> tuple[Values, float, float, tuple[Window, ...], tuple[str, ...]]:
    """Apply the file's display table, if it has one, and span its range with a window."""
    tables = read_tables(dataset, "VOILUTSequence", signed_input=low < 0)
    if tables is None:
        left_out = "The file's lookup table for display cannot be read and is left out."
        return values, low, high, (), (left_out,)
    if not tables:
        return values, low, high, (), ()
    table = tables[0]
    windows = (spanning_window("Lookup table of the file", 0.0, table.highest),)
    applied = "The file's own lookup table was applied; intensities are in its units."
    said = (applied,) if table.agrees else (applied, _TABLE_BITS)
    return table.apply(values), 0.0, table.highest, windows, said


def _with_whole_range(
    values: Values, windows: tuple[Window, ...], padding: Bool[np.ndarray, "rows cols"] | None
) -> tuple[Values, tuple[Window, ...]]:
    """Blacken padding, and offer a window from the smallest to the largest real value."""
    if padding is None:
        low, high = float(values.min()), float(values.max())
    else:
        kept = ~padding
        low = float(values.min(where=kept, initial=np.inf))
        high = float(values.max(where=kept, initial=-np.inf))
        values[padding] = low
    whole = spanning_window(WHOLE_RANGE, low, high)
    listed = any(replace(window, name=WHOLE_RANGE) == whole for window in windows)
    return values, distinct(windows if listed else (*windows, whole))
