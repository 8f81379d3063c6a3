"""Window and level: from intensities to grey levels."""

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from medgemma_dash.core.radiograph import Window

_ROWS_AT_ONCE_BYTES = 2**19  # intermediate values of one block stay in the processor's cache

EIGHT_BIT = Window("Full range", 128.0, 256.0)  # the window under which 0..255 stay as they are


def apply_window(
    intensities: Float32[np.ndarray, "rows cols"], window: Window
) -> UInt8[np.ndarray, "rows cols"]:
    """Grey levels by the LINEAR function of DICOM PS3.3 C.11.2.1.2.1, rounded to 0..255.

    Computed in float64. A window of width 1 is a threshold. Raises ValueError for a window
    narrower than 1 (in the units of the intensities), which that function does not define.
    """
    if not (np.isfinite(window.centre) and np.isfinite(window.width) and window.width >= 1):
        raise ValueError(f"A window is at least 1 wide and finite, not {window}.")
    rows, cols = intensities.shape
    grey = np.empty((rows, cols), np.uint8)
    step = max(1, _ROWS_AT_ONCE_BYTES // (8 * max(cols, 1)))
    for top in range(0, rows, step):
        x = intensities[top : top + step].astype(np.float64)
        grey[top : top + step] = _linear(x, window)
    return grey


def spanning_window(name: str, low: float, high: float) -> Window:
    """The window that maps `low` to 0 and `high` to 255."""
    return Window(name, (low + high + 1) / 2, max(high - low, 0.0) + 1)


def _linear(x: Float64[np.ndarray, "rows cols"], window: Window) -> UInt8[np.ndarray, "rows cols"]:
    c, w = window.centre, window.width
    if w == 1:
        return np.where(x <= c - 0.5, np.uint8(0), np.uint8(255))
    # y = ((x - (c - 0.5)) / (w - 1) + 0.5) * 255; clipping is the standard's two outer cases.
    x -= c - 0.5
    x /= w - 1
    x += 0.5
    x *= 255
    np.rint(x, out=x)
    np.clip(x, 0, 255, out=x)
    return x.astype(np.uint8)
