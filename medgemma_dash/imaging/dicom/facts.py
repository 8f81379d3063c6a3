"""What is taken from a DICOM data set, and nothing else. Runs in the decoding process.

Only the tags named here are ever read from the file, so names, dates and numbers of a patient
are in no variable of this program. A text value is passed on only if it is a word of the
standard that is known here; anything else becomes "other".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.laterality import VIEWS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

READ_TAGS = [
    "Modality", "PresentationIntentType", "ViewPosition", "BodyPartExamined",
    "PatientOrientation", "PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing",
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "BurnedInAnnotation",
    "LossyImageCompression", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction",
    "VOILUTSequence", "PixelData", "FloatPixelData", "DoubleFloatPixelData",
]  # fmt: skip

RADIOGRAPH_MODALITIES = frozenset({"CR", "DX", "DR", "RG"})
UNSURE_MODALITIES = frozenset({"OT", "SC", ""})
_OTHER_MODALITIES = {
    "CT": "computed tomography", "MR": "magnetic resonance", "US": "ultrasound",
    "MG": "mammography", "NM": "nuclear medicine", "PT": "positron emission tomography",
    "XA": "angiography", "RF": "fluoroscopy", "PX": "a panoramic dental image",
    "IO": "a dental image", "BMD": "bone densitometry", "SR": "a structured report",
    "DOC": "a document", "PR": "a presentation state", "KO": "a list of images",
    "SEG": "a segmentation", "RTIMAGE": "a radiotherapy image", "RTDOSE": "a radiotherapy dose",
    "RTSTRUCT": "a radiotherapy structure set", "RTPLAN": "a radiotherapy plan",
    "ECG": "an electrocardiogram", "XC": "a photograph", "ES": "endoscopy",
    "GM": "microscopy", "SM": "slide microscopy", "OP": "an eye photograph",
}  # fmt: skip
CHEST_PARTS = frozenset({"CHEST", "THORAX", "LUNG", "LUNGS", "RIB", "RIBS", "CHEST_ABDOMEN"})
PHOTOMETRIC = frozenset(
    {"MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
)
_PLAUSIBLE_SPACING_MM = (0.01, 10.0)


def check_modality(modality: str) -> None:
    """Raise ImageError for anything that is surely no radiograph."""
    if modality in RADIOGRAPH_MODALITIES | UNSURE_MODALITIES:
        return
    what = _OTHER_MODALITIES.get(modality, "not a radiograph")
    raise ImageError(
        f"The DICOM file is {what}. Only plain radiographs are read (modality CR, DX, DR or RG). "
        "Choose a frontal chest radiograph."
    )


def whole_number(dataset: Dataset, keyword: str, default: int | None = None) -> int:
    """An integer tag; raises ImageError if it is missing without default, or not a number."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        if default is None:
            raise ImageError(
                f"The DICOM file does not state its {keyword}, without which its pixels cannot "
                "be read. Export it again."
            )
        return default
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ImageError(
            f"The DICOM file's {keyword} is not a whole number: it is damaged. Export it again."
        ) from None


def real_numbers(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """The values of a decimal tag, () if absent; raises ImageError if one is not finite."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return ()
    values = value if _is_many(value) else [value]
    try:
        numbers = tuple(float(number) for number in values)
    except (TypeError, ValueError, OverflowError):
        numbers = (math.nan,)
    if not all(math.isfinite(number) for number in numbers):
        raise ImageError(
            f"The DICOM file's {keyword} is not a number: it is damaged. Export it again."
        )
    return numbers


def word(dataset: Dataset, keyword: str, known: Iterable[str] | None = None) -> str:
    """A code string in capitals; "" if absent, "other" if it is not one of the known words."""
    value = _value(dataset, keyword)
    if value is None or _is_many(value):
        return ""
    text = str(value).strip().upper()
    return text if not text or known is None or text in known else "other"


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of a multi-valued code string."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return ()
    return tuple(str(part).strip() for part in (value if _is_many(value) else [value]))


def items(dataset: Dataset, keyword: str) -> tuple[Dataset, ...]:
    """The items of a sequence."""
    value = _value(dataset, keyword)
    return tuple(value) if value is not None and _is_many(value) else ()


def padding_range(dataset: Dataset) -> tuple[int, int] | None:
    """Inclusive range of stored values that are padding, not picture."""
    first = _short(dataset, "PixelPaddingValue")
    if first is None:
        return None
    last = _short(dataset, "PixelPaddingRangeLimit")
    return (first, first) if last is None else (min(first, last), max(first, last))


def spacing_mm(dataset: Dataset) -> tuple[float, float] | None:
    """(row, column) spacing in millimetres, at the patient if known, else at the detector."""
    low, high = _PLAUSIBLE_SPACING_MM
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        try:
            spacing = real_numbers(dataset, keyword)
        except ImageError:
            continue  # an unreadable spacing is no reason to refuse the picture
        if len(spacing) == 2 and all(low <= value <= high for value in spacing):
            return spacing[0], spacing[1]
    return None


def tag_pairs(dataset: Dataset, encoding: str) -> tuple[tuple[str, str], ...]:
    """The acquisition facts that may be shown."""
    modalities = RADIOGRAPH_MODALITIES | UNSURE_MODALITIES
    intents = {"FOR PRESENTATION", "FOR PROCESSING"}
    pairs = [
        ("Modality", word(dataset, "Modality", modalities)),
        ("Body part", word(dataset, "BodyPartExamined", CHEST_PARTS)),
        ("View", word(dataset, "ViewPosition", VIEWS)),
        ("Presentation intent", word(dataset, "PresentationIntentType", intents)),
        ("Rows", str(whole_number(dataset, "Rows"))),
        ("Columns", str(whole_number(dataset, "Columns"))),
        ("Photometric interpretation", word(dataset, "PhotometricInterpretation", PHOTOMETRIC)),
        ("Bits stored", str(whole_number(dataset, "BitsStored"))),
        ("Transfer syntax", encoding),
    ]
    return tuple((name, value) for name, value in pairs if value)


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    # pydicom converts a value when it is asked for, and a damaged one makes it raise any of
    # these; NotImplementedError is what it raises for a value representation it cannot read.
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, struct.error):
        raise ImageError(
            f"The DICOM file's {keyword} cannot be read: it is damaged. Export it again."
        ) from None


def _is_many(value: Any) -> bool:
    return not isinstance(value, str | bytes) and hasattr(value, "__len__")


def _short(dataset: Dataset, keyword: str) -> int | None:
    """A 16-bit value whose sign depends on PixelRepresentation; pydicom may leave it as bytes."""
    value = _value(dataset, keyword)
    if value is None or value == "" or value == b"":
        return None
    signed = whole_number(dataset, "PixelRepresentation", 0) == 1
    if isinstance(value, bytes):
        if len(value) != 2:
            return None
        little = dataset.original_encoding[1] in (True, None)
        return int.from_bytes(value, "little" if little else "big", signed=signed)
    if not isinstance(value, int):
        return None
    return value - 2**16 if signed and value >= 2**15 else value
