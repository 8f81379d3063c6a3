"""The display windows that a DICOM file offers. Runs in the decoding process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.dicom.numbers import decimals
from medgemma_dash.imaging.window_names import shown_name

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MAX_PRESETS = 16
_LARGEST = 1e9
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def presets(dataset: Dataset) -> tuple[tuple[Window, ...], tuple[str, ...]]:
    """The file's windows in modality units, and warnings; a window that is none is left out.

    SIGMOID is restated as the LINEAR_EXACT line of the same centre and slope. Names may repeat.
    """
    centres, widths = decimals(dataset, "WindowCenter"), decimals(dataset, "WindowWidth")
    if not centres and not widths:
        return (), ()
    names = facts.words(dataset, "WindowCenterWidthExplanation")
    function = facts.word(dataset, "VOILUTFunction", _FUNCTIONS) or "LINEAR"
    exact = function in ("LINEAR_EXACT", "SIGMOID")
    windows = []
    for index, (centre, width) in enumerate(zip(centres, widths, strict=False)):
        if centre is None or width is None or not _is_sensible(centre, width, exact):
            continue
        name = shown_name(names[index] if index < len(names) else "", index)
        windows.append(Window(name, centre, width, exact))
    warnings = []
    if not windows:
        warnings.append(
            "The file's display window cannot be used and is left out: it is no pair of a centre "
            "and a width, both numbers, the width at least 1."
        )
    elif len(windows) < max(len(centres), len(widths)):
        warnings.append("Some of the file's display windows are not usable and are left out.")
    if windows and function == "SIGMOID":
        warnings.append(
            "The file asks for a sigmoid window; it is shown with the straight line of the same "
            "centre and slope."
        )
    elif windows and function not in _FUNCTIONS:
        warnings.append(
            "The file asks for a window function that is not known (its VOILUTFunction); its "
            "windows are shown as straight lines."
        )
    return tuple(windows[:_MAX_PRESETS]), tuple(warnings)


def _is_sensible(centre: float, width: float, exact: bool) -> bool:
    return 0 < width <= _LARGEST and abs(centre) <= _LARGEST and (exact or width >= 1)
