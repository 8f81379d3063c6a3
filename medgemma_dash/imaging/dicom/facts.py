"""What is taken from a DICOM data set, and nothing else. Runs in the decoding process.

Only the tags named here are ever read from the file, so names, dates and numbers of a patient
are in no variable of this program. A text value is passed on only if it is a word of the
standard that is known here; anything else becomes "other".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.dicom.numbers import decimals, hinted_number, is_many, stored_value
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
    "VOILUTSequence", "PresentationLUTShape", "PixelData", "FloatPixelData",
    "DoubleFloatPixelData", "TransferSyntaxUID",
]  # fmt: skip

RADIOGRAPH_MODALITIES = frozenset({"CR", "DX", "DR", "RG"})
UNREADABLE = "unreadable"
UNSURE_MODALITIES = frozenset({"OT", "SC", "", UNREADABLE})
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
# PS3.16 Annex L, and what is written in place of its words: "CHEST PA", "PORT CHEST", "TORAX AP".
_PARTS_OF_THE_CHEST = frozenset({"LUNG", "LUNGS", "RIB", "RIBS", "HEART", "MEDIASTINUM"})
_NAMES_THE_CHEST = re.compile(r"CHEST|THORAX|TORAX|TORACE")
_CHEST_WORDS = frozenset(
    {"CHEST", "THORAX", "CHESTABDOMEN", "CHESTABDPELVIS", "NECKCHEST", "NECKCHESTABDOMEN",
     "NECKCHESTABDPELV", "CHEST_ABDOMEN"}
)  # fmt: skip
PHOTOMETRIC = frozenset(
    {"MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"}
)
SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
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


def word(dataset: Dataset, keyword: str, known: Iterable[str] | None = None) -> str:
    """A code string in capitals: "" if absent, "unreadable", "other" if it is no known word."""
    try:
        value = stored_value(dataset, keyword)
    except ImageError:
        return UNREADABLE
    if value is None or is_many(value):
        return ""
    text = str(value).strip().upper()
    return text if not text or known is None or text in known else "other"


def words(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The values of a multi-valued code string, () if absent; one that is unreadable is empty."""
    try:
        value = stored_value(dataset, keyword)
    except ImageError:
        return ("",)
    if value is None or value == "":
        return ()
    return tuple(str(part).strip() for part in (value if is_many(value) else [value]))


def body_part(dataset: Dataset) -> str:
    """BodyPartExamined: "" if absent, a known word of the chest, "CHEST" for free text that names
    it, else "other" or "unreadable". The text itself may hold anything and is not passed on.
    """
    text = word(dataset, "BodyPartExamined")
    if text in _CHEST_WORDS | _PARTS_OF_THE_CHEST | {"", UNREADABLE}:
        return text
    if _NAMES_THE_CHEST.search(text):
        return "CHEST"
    return "CHEST" if _PARTS_OF_THE_CHEST & set(re.split(r"[^A-Z]+", text)) else "other"


def padding_range(dataset: Dataset) -> tuple[int, int] | None:
    """Inclusive range of stored values that are padding, not picture; None if not readable."""
    first = _short(dataset, "PixelPaddingValue")
    if first is None:
        return None
    last = _short(dataset, "PixelPaddingRangeLimit")
    return (first, first) if last is None else (min(first, last), max(first, last))


def has_unreadable_padding(dataset: Dataset) -> bool:
    """Whether the file states a padding value, or its limit, that is no whole number."""
    keywords = ("PixelPaddingValue", "PixelPaddingRangeLimit")
    return any(_states(dataset, word) and _short(dataset, word) is None for word in keywords)


def spacing_mm(dataset: Dataset) -> tuple[float, float] | None:
    """(row, column) spacing in millimetres, at the patient if known, else at the detector."""
    low, high = _PLAUSIBLE_SPACING_MM
    for keyword in SPACINGS:
        match decimals(dataset, keyword):
            case (float(row), float(col)) if low <= min(row, col) and max(row, col) <= high:
                return row, col
    return None


def tag_pairs(
    dataset: Dataset, rows: int, cols: int, bits: int, encoding: str
) -> tuple[tuple[str, str], ...]:
    """The acquisition facts that may be shown."""
    modalities = RADIOGRAPH_MODALITIES | UNSURE_MODALITIES
    intents = {"FOR PRESENTATION", "FOR PROCESSING"}
    pairs = [
        ("Modality", word(dataset, "Modality", modalities)),
        ("Body part", body_part(dataset)),
        ("View", word(dataset, "ViewPosition", VIEWS)),
        ("Presentation intent", word(dataset, "PresentationIntentType", intents)),
        ("Rows", str(rows)),
        ("Columns", str(cols)),
        ("Photometric interpretation", word(dataset, "PhotometricInterpretation", PHOTOMETRIC)),
        ("Bits stored", str(bits)),
        ("Transfer syntax", encoding),
    ]
    return tuple((name, value) for name, value in pairs if value)


def _states(dataset: Dataset, keyword: str) -> bool:
    try:
        return stored_value(dataset, keyword) not in (None, "", b"")
    except ImageError:
        return True


def _short(dataset: Dataset, keyword: str) -> int | None:
    """A 16-bit value whose sign depends on PixelRepresentation; pydicom may leave it as bytes."""
    try:
        value = stored_value(dataset, keyword)
    except ImageError:
        return None
    signed = hinted_number(dataset, "PixelRepresentation") == 1
    if isinstance(value, bytes):
        if len(value) != 2:
            return None
        little = dataset.original_encoding[1] in (True, None)
        return int.from_bytes(value, "little" if little else "big", signed=signed)
    if not isinstance(value, int):
        return None
    return value - 2**16 if signed and value >= 2**15 else value
