"""A picture that uses a sliver of the grey range is said to, and a window shows more of it."""

from typing import Any

import numpy as np
import pytest

from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging import apply_window
from medgemma_dash.imaging.contrast import Contrast, judge_contrast
from medgemma_dash.imaging.window import EIGHT_BIT, spanning_window

FILM = np.add.outer(np.arange(96) * 2.0, np.arange(80) * 0.8).astype(np.float32)  # 0 to 253


def judge(values: Any, *windows: Window) -> Contrast:
    values = np.asarray(values, np.float32)
    pixels = np.repeat(apply_window(values, windows[0])[..., None], 3, axis=2)
    return judge_contrast(pixels, values, windows)


def test_a_film_that_uses_the_range_is_left_alone() -> None:
    assert judge(FILM, EIGHT_BIT) == Contrast((), (EIGHT_BIT,))


@pytest.mark.parametrize(
    ("window", "kind"),
    [
        (Window("12 bits", 2048.0, 4096.0), "dark"),
        (Window("16 bits", 32768.0, 65536.0), "dark"),
        (Window("far below", -2000.0, 4096.0), "bright"),
        (Window("too low", 30.0, 40.0), "bright"),
        (Window("around", 128.0, 4096.0), "flat"),
    ],
)
def test_a_sliver_is_said_bright_or_dark_and_the_whole_range_offered(
    window: Window, kind: str
) -> None:
    values = FILM if window.name != "too low" else FILM + 20
    found = judge(values, window)
    assert f"very {kind}" in found.warnings[0]
    assert found.wider == "Whole range"
    wider = found.windows[-1]
    assert wider.name == found.wider
    assert np.ptp(apply_window(np.asarray(values, np.float32), wider)) == 255


def test_the_warning_does_not_wait_for_exact_black_and_white() -> None:
    lettered = FILM / 16
    lettered[:4, :10] = 255  # a marker of lead, which holds the whole range open
    found = judge(lettered, EIGHT_BIT)
    assert "very dark" in found.warnings[0]
    shown = apply_window(lettered, next(one for one in found.windows if one.name == found.wider))
    low, high = np.percentile(shown, [5, 95])
    assert high - low > 128


def test_the_files_own_window_over_the_whole_range_is_the_one_offered() -> None:
    whole = spanning_window("LUNG", float(FILM.min()), float(FILM.max()))
    found = judge(FILM, Window("12 bits", 2048.0, 4096.0), whole)
    assert (found.wider, len(found.windows)) == ("LUNG", 2)


def test_few_grey_levels_are_said() -> None:
    posterised = np.floor(FILM / 64) * 85
    found = judge(posterised, EIGHT_BIT)
    assert "4 grey levels" in found.warnings[0]
    assert found.wider == ""


def test_one_value_is_nothing_to_see() -> None:
    found = judge(np.full((96, 80), 7), EIGHT_BIT)
    assert "nothing to see" in found.warnings[0]
    assert found.windows == (EIGHT_BIT,)
