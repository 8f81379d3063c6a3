"""Whether a picture, as it is shown, uses enough of the grey range for anything to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, UInt8

from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.window import WHOLE_RANGE, apply_window, spanning_window

# Between these shares of its pixels a good film uses 125 to 235 of the 256 grey levels.
_MOST = (0.05, 0.95)
_ENOUGH = 64
# A letter of lead in a dark film holds the whole range open.
_WITHOUT_EXTREMES = (1, 99)
_SAMPLED_SIDE = 512
MIDDLE_RANGE = "Middle 98%"


@dataclass(frozen=True)
class Contrast:
    """What is to be said about a picture's grey levels.

    windows: those of the picture, and the wider one.
    wider: the name of a window that shows much more than the first one, "" where that one does.
    """

    warnings: tuple[str, ...]
    windows: tuple[Window, ...]
    wider: str = ""


def judge_contrast(
    pixels: UInt8[np.ndarray, "rows cols 3"],
    intensities: Float32[np.ndarray, "rows cols"],
    windows: tuple[Window, ...],
) -> Contrast:
    """Look at the picture as its first window shows it, on a grid of about 512 x 512 pixels."""
    step = max(1, min(intensities.shape) // _SAMPLED_SIDE)
    sample = np.ascontiguousarray(intensities[::step, ::step])
    shown = np.rint(pixels[::step, ::step].mean(axis=2)).astype(np.uint8)
    low, high, levels = _use(shown)
    if high - low >= _ENOUGH and levels >= _ENOUGH:
        return Contrast((), windows)
    if intensities.min() == intensities.max():
        said = "Every pixel has the same value: there is nothing to see in this picture."
        return Contrast((said,), windows)
    wider = next(
        (
            window
            for window in _wider(sample, intensities, windows)
            if _shows_more(_use(apply_window(sample, window)), (low, high, levels))
        ),
        None,
    )
    offer = f'The window "{wider.name}" shows more of it. ' if wider else ""
    said = f"{_describe(low, high, levels)} {offer}The model sees it as the first window shows it."
    if wider is None:
        return Contrast((said,), windows)
    listed = windows if wider in windows else (*windows, wider)
    return Contrast((said,), listed, wider.name)


def _use(shown: UInt8[np.ndarray, "rows cols"]) -> tuple[int, int, int]:
    """The 5th and 95th percentile of the grey levels, and how many different ones there are."""
    counts = np.bincount(shown.ravel(), minlength=256)
    low, high = np.searchsorted(np.cumsum(counts), np.multiply(_MOST, shown.size))
    return int(low), int(high), int(np.count_nonzero(counts))


def _shows_more(use: tuple[int, int, int], than: tuple[int, int, int]) -> bool:
    return use[1] - use[0] >= 2 * max(than[1] - than[0], 1) or use[2] >= 2 * than[2]


def _wider(
    sample: Float32[np.ndarray, "rows cols"],
    intensities: Float32[np.ndarray, "rows cols"],
    windows: tuple[Window, ...],
) -> Iterator[Window]:
    """Windows over all values, then over all but the extreme ones."""
    whole = spanning_window(WHOLE_RANGE, float(intensities.min()), float(intensities.max()))
    yield next((window for window in windows if replace(window, name=whole.name) == whole), whole)
    low, high = np.percentile(sample, _WITHOUT_EXTREMES)
    if low < high:
        yield spanning_window(MIDDLE_RANGE, float(low), float(high))


def _describe(low: int, high: int, levels: int) -> str:
    if high - low >= _ENOUGH:
        return f"The picture is shown in {levels} grey levels of 256 only."
    kind = "dark" if high < 128 else "bright" if low >= 128 else "flat"
    return (
        f"The picture is very {kind}: nine tenths of it lie between the grey levels {low} and "
        f"{high} of 0 to 255."
    )
