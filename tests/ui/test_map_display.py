"""The reader's own window shows the radiograph, wherever its sliders stand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.imaging import load_radiograph
from medgemma_dash.ui.components import map_display
from medgemma_dash.ui.state.study import Study
from tests.imaging.dicom_files import native, sample_picture

DEEP = sample_picture(40, 48, 12)


def choose_own(monkeypatch: pytest.MonkeyPatch, study: Study, centre: float, width: float) -> None:
    chosen = {"preset": map_display.OWN_WINDOW, "centre": centre, "width": width}
    values: dict[str, Any] = {
        map_display.window_key(study, part): value for part, value in chosen.items()
    }
    monkeypatch.setattr(map_display, "widget_value", values.get)


@pytest.mark.parametrize("slope", ["1e-20", "0.0001", "0.001", "1", "50"])
def test_own_window_is_defined_at_every_place_of_its_sliders(
    monkeypatch: pytest.MonkeyPatch, slope: str
) -> None:
    study = Study(load_radiograph(native(DEEP, bits=12, RescaleSlope=slope)), "test")
    low, high = (float(end(study.radiograph.intensities)) for end in (np.min, np.max))
    span = high - low
    for centre in (low, (low + high) / 2, high):
        for width in (span / 100, span, span * 2):
            choose_own(monkeypatch, study, centre, width)
            shown = map_display.displayed_pixels(study)[..., 0]
            exact = (study.radiograph.intensities.astype(float) - centre) / width + 0.5
            np.testing.assert_array_equal(shown, np.rint(np.clip(exact * 255, 0, 255)))


def test_own_window_without_a_width_falls_back_to_the_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = Study(load_radiograph(Image.fromarray(sample_picture(40, 48, 8))), "test")
    choose_own(monkeypatch, study, 3.0, 0.0)
    assert map_display.displayed_pixels(study) is study.radiograph.pixels


def test_two_windows_of_equal_numbers_and_unlike_functions_are_two_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = {"WindowCenter": 2000, "WindowWidth": 100}
    study = Study(load_radiograph(native(DEEP, bits=12, **numbers)), "test")
    choose_own(monkeypatch, study, 2000.0, 100.0)
    own = map_display.displayed_jpeg(study)
    monkeypatch.setattr(map_display, "widget_value", lambda _, default: default)
    assert map_display.displayed_jpeg(study) != own
