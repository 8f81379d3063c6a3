"""What a reader should know about a DICOM file that was read all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.dicom.layout import Layout
from medgemma_dash.imaging.dicom.numbers import decimals, has_decimal_comma
from medgemma_dash.imaging.dicom.transfer_syntax import LOSSY

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DECIMALS = ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept", *facts.SPACINGS)
# PS3.3 C.8.11.3.1.2: with which photometric interpretation each shape must stand.
_SHAPE_OF = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}


def file_notices(dataset: Dataset, transfer_syntax: str, layout: Layout) -> tuple[str, ...]:
    """What to know about the file before trusting its picture."""
    return (
        *_about_kind(dataset),
        *_about_pixels(dataset, transfer_syntax, layout.bits),
        *_about_contradictions(dataset, layout),
        *_about_hints(dataset),
        *_about_burned_in_text(dataset),
    )


def _about_kind(dataset: Dataset) -> tuple[str, ...]:
    found = []
    if facts.word(dataset, "Modality") in facts.UNSURE_MODALITIES:
        found.append("The file does not say that it is a plain radiograph; make sure that it is.")
    if facts.body_part(dataset) == "other":
        found.append("The file names a body part other than the chest.")
    if facts.word(dataset, "PresentationIntentType") == "FOR PROCESSING":
        found.append(
            "The file holds raw detector data, not meant for viewing; contrast may be unusual."
        )
    return tuple(found)


def _about_pixels(dataset: Dataset, transfer_syntax: str, bits: int) -> tuple[str, ...]:
    found = []
    if facts.word(dataset, "LossyImageCompression") == "01" or transfer_syntax in LOSSY:
        found.append("The picture was compressed with loss.")
    if bits > 8:
        found.append(f"The picture has {bits} bits; the model sees the 8 that the window selects.")
    return tuple(found)


def _about_contradictions(dataset: Dataset, layout: Layout) -> tuple[str, ...]:
    shape = facts.word(dataset, "PresentationLUTShape", _SHAPE_OF.values())
    if shape in _SHAPE_OF.values() and shape != _SHAPE_OF.get(layout.photometric, shape):
        dark = "bright" if layout.photometric == "MONOCHROME1" else "dark"
        return (
            f"The file contradicts itself: {layout.photometric} says that low values are {dark}, "
            f"its PresentationLUTShape {shape} the opposite. {layout.photometric} is obeyed; if "
            "the picture looks like a negative, the other one was meant.",
        )
    return ()


def _about_hints(dataset: Dataset) -> tuple[str, ...]:
    found = []
    if any(has_decimal_comma(dataset, keyword) for keyword in _DECIMALS):
        found.append("The file writes decimal numbers with a comma; it is read as a point.")
    stated = any(decimals(dataset, keyword) for keyword in facts.SPACINGS)
    if stated and facts.spacing_mm(dataset) is None:
        found.append(
            "The file's pixel spacing is no pair of plausible numbers; it is left out, and "
            "distances are unknown."
        )
    if facts.has_unreadable_padding(dataset):
        found.append("The file's padding value cannot be read; padding is shown as picture.")
    return tuple(found)


def _about_burned_in_text(dataset: Dataset) -> tuple[str, ...]:
    said = facts.word(dataset, "BurnedInAnnotation")
    if said == "YES":
        return ("The file says that text is burned into the picture: it may name a patient.",)
    if said != "NO":
        return ("Text may be burned into the picture; look before you share it.",)
    return ()
