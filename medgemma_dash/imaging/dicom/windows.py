"""The display windows that a DICOM file offers. Runs in the decoding process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.window_names import shown_name

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_MAX_PRESETS = 16


def presets(dataset: Dataset) -> tuple[tuple[Window, ...], tuple[str, ...]]:
    """The file's windows in modality units, and warnings.

    SIGMOID is restated as the LINEAR_EXACT line of the same centre and slope. Names may repeat.
    Raises ImageError if there are windows and none is usable.
    """
    centres = facts.real_numbers(dataset, "WindowCenter")
    widths = facts.real_numbers(dataset, "WindowWidth")
    if not centres and not widths:
        return (), ()
    names = facts.words(dataset, "WindowCenterWidthExplanation")
    function = facts.word(dataset, "VOILUTFunction") or "LINEAR"
    exact = function in ("LINEAR_EXACT", "SIGMOID")
    windows = []
    pairs = list(zip(centres, widths, strict=False))[:_MAX_PRESETS]
    for index, (centre, width) in enumerate(pairs):
        if not (0 < width <= 1e9 and abs(centre) <= 1e9) or (width < 1 and not exact):
            continue
        name = shown_name(names[index] if index < len(names) else "", index)
        windows.append(Window(name, centre, width, exact))
    if not windows:
        raise ImageError(
            "The DICOM file's display window has no width (WindowWidth must be at least 1, and "
            "come with a WindowCenter). Correct it or remove both tags, and load the file again."
        )
    warnings = []
    if len(windows) < max(len(centres), len(widths)):
        warnings.append("Some of the file's display windows are not usable and are left out.")
    if function == "SIGMOID":
        warnings.append(
            "The file asks for a sigmoid window; it is shown with the straight line of the same "
            "centre and slope."
        )
    return tuple(windows), tuple(warnings)
