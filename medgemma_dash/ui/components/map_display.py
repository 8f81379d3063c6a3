"""How the map and the radiograph are displayed: the reader's choices, as plain values."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.radiograph import OWN_WINDOW, Radiograph, Window
from medgemma_dash.figures import MAGNITUDE_SCALES
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.imaging import apply_window, is_usable, jpeg_bytes
from medgemma_dash.services.explaining.headline import strongest_peak
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.session import widget_value
from medgemma_dash.ui.state.study import Answered, Study

LONGEST_SIDE_PX = 800
WINDOWS_KEPT = 8
DEFAULT_OPACITY = 75
ONE_SCALE = "map_one_scale"  # a widget that keeps its value for the session

__all__ = [
    "DEFAULT_OPACITY",
    "ONE_SCALE",
    "OWN_WINDOW",
    "MapDisplay",
    "answer_display",
    "chosen_display",
    "chosen_window",
    "displayed_jpeg",
    "displayed_pixels",
    "window_key",
    "windowed",
]


def chosen_display() -> MapDisplay:
    """What the reader chose, or the defaults."""
    return MapDisplay(
        mode=cast(Literal["smooth", "grid"], widget_value(keys.MODE, "Smooth").lower()),
        opacity=widget_value(keys.OPACITY, DEFAULT_OPACITY) / 100,
        threshold=widget_value(keys.THRESHOLD, 0) / 100,
        colour_scale=widget_value(keys.COLOUR_SCALE, MAGNITUDE_SCALES[0]),
    )


def answer_display(answered: Answered | None) -> MapDisplay:
    """The same for a map of the answer on screen: on one scale for all of its words if chosen."""
    display = chosen_display()
    if answered is None or answered.shown is None or not widget_value(ONE_SCALE, False):
        return display
    if answered.shown.explanation.target.contrastive:
        return display  # no word's map: it is not comparable with theirs
    known = answered.store.tensor(*answered.shown.made_by)
    return replace(display, scale_peak=strongest_peak(answered.answer, known))


def window_key(study: Study, part: str) -> str:
    """The widget's key; each radiograph has its own window."""
    return f"window_{part}_{study.number}"


def chosen_window(study: Study) -> Window:
    """The display window: the file's first preset until the reader chose another."""
    presets = study.radiograph.windows
    name = widget_value(window_key(study, "preset"), presets[0].name)
    if name == OWN_WINDOW:
        centre = float(widget_value(window_key(study, "centre"), presets[0].centre))
        width = float(widget_value(window_key(study, "width"), presets[0].width))
        # Exact, because the intensities of a rescaled file may differ by less than 1.
        own = Window(OWN_WINDOW, centre, width, exact=True)
        return own if is_usable(own) else presets[0]
    return next((preset for preset in presets if preset.name == name), presets[0])


def displayed_pixels(study: Study) -> npt.NDArray[np.uint8]:
    """uint8 (H, W, 3): the radiograph in the chosen window."""
    return windowed(study.radiograph, chosen_window(study))


def windowed(radiograph: Radiograph, window: Window) -> npt.NDArray[np.uint8]:
    """uint8 (H, W, 3): the radiograph in a window; its own pixels in its first."""
    if window == radiograph.windows[0]:
        return radiograph.pixels
    grey = apply_window(radiograph.intensities, window)
    return np.repeat(grey[..., None], 3, axis=2)


def displayed_jpeg(study: Study, longest_side: int = LONGEST_SIDE_PX) -> bytes:
    """The displayed picture, encoded once for each window and size."""
    window = chosen_window(study)
    key = (window, longest_side)
    kept = study.pictures.get(key)
    if kept is None:
        kept = jpeg_bytes(displayed_pixels(study), longest_side=longest_side)
        while len(study.pictures) >= WINDOWS_KEPT:
            study.pictures.pop(next(iter(study.pictures)))
        study.pictures[key] = kept
    return kept
