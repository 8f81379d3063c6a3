"""Window and level: from intensities to grey levels."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from medgemma_dash.core.radiograph import Window

_ROWS_AT_ONCE_BYTES = 2**19  # intermediate values of one block stay in the processor's cache

WHOLE_RANGE = "Whole range"  # from the smallest to the largest intensity
EIGHT_BIT = Window("Full range", 128.0, 256.0)  # the window under which 0..255 stay as they are


def apply_window(
    intensities: Float32[np.ndarray, "rows cols"], window: Window
) -> UInt8[np.ndarray, "rows cols"]:
    """Grey levels by the function of DICOM PS3.3 C.11.2.1.2.1 (LINEAR) or, for an exact window,
    C.11.2.1.3.2 (LINEAR_EXACT), rounded to 0..255.

    Computed in float64. A LINEAR window of width 1 is a threshold. Raises ValueError for a
    window that its function does not define, see `is_usable`.
    """
    if not is_usable(window):
        least = "wider than 0" if window.exact else "at least 1 wide"
        raise ValueError(f"This window is {least} and finite, not {window}.")
    rows, cols = intensities.shape
    grey = np.empty((rows, cols), np.uint8)
    step = max(1, _ROWS_AT_ONCE_BYTES // (8 * max(cols, 1)))
    for top in range(0, rows, step):
        x = intensities[top : top + step].astype(np.float64)
        grey[top : top + step] = _linear(x, window)
    return grey


def is_usable(window: Window) -> bool:
    """Whether the window's function defines a grey level for every value: it is finite, and an
    exact one wider than 0, a LINEAR one at least 1 wide in the units of the intensities.
    """
    finite = np.isfinite(window.centre) and np.isfinite(window.width)
    return bool(finite and (window.width > 0 if window.exact else window.width >= 1))


def spanning_window(name: str, low: float, high: float) -> Window:
    """The window that maps `low` to 0 and `high` to 255."""
    if 0 < high - low < 1:
        # A difference far below 1 would be lost in LINEAR's width, which is larger by 1.
        return Window(name, (low + high) / 2, high - low, exact=True)
    return Window(name, (low + high + 1) / 2, max(high - low, 0.0) + 1)


def mirrored(window: Window, total: float) -> Window:
    """The window that shows total - x as the negative of what this one shows of x."""
    # The LINEAR function is centred at c - 0.5, hence the 1.
    return replace(window, centre=total + (0 if window.exact else 1) - window.centre)


def _linear(x: Float64[np.ndarray, "rows cols"], window: Window) -> UInt8[np.ndarray, "rows cols"]:
    # y = ((x - c) / w + 0.5) * 255; clipping is the standard's two outer cases.
    c, w = window.centre, window.width
    if not window.exact:
        c, w = c - 0.5, w - 1
    if w == 0:
        return np.where(x <= c, np.uint8(0), np.uint8(255))
    x -= c
    with np.errstate(over="ignore"):  # far outside a very narrow window
        x /= w
    x += 0.5
    x *= 255
    np.rint(x, out=x)
    np.clip(x, 0, 255, out=x)
    return x.astype(np.uint8)
