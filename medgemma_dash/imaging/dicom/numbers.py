"""Numbers of a DICOM data set, as writers leave them. Runs in the decoding process.

What the pixels cannot be read without must be a number; everything else is a hint, and an
unreadable hint is None.
"""

from __future__ import annotations

import math
import re
import struct
from typing import TYPE_CHECKING, Any

from medgemma_dash.core.errors import ImageError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

# Strings, or kinds that an Implicit VR file and an unknown element leave open.
_TEXT_KINDS = frozenset({None, "DS", "IS", "UN", "LO", "SH", "ST", "CS"})
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_ALONE = re.compile(r"[^.,]*,[^.,]*")


def whole_number(dataset: Dataset, keyword: str) -> int:
    """An integer tag; raises ImageError if it is missing or not a number."""
    value = stored_value(dataset, keyword)
    if value is None or value == "":
        raise ImageError(
            f"The DICOM file does not state its {keyword}, without which its pixels cannot be "
            "read. Export it again."
        )
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        raise ImageError(
            f"The DICOM file's {keyword} is not a whole number: it is damaged. Export it again."
        ) from None


def hinted_number(dataset: Dataset, keyword: str) -> int | None:
    """An integer tag; None if it is missing, empty or not a number."""
    try:
        return whole_number(dataset, keyword)
    except ImageError:
        return None


def decimals(dataset: Dataset, keyword: str) -> tuple[float | None, ...]:
    """The values of a decimal tag, () if absent or empty; None for one that is no finite number.

    A lone comma is the decimal point of a writer with another locale.
    """
    return tuple(_decimal(part) for part in _parts(dataset, keyword))


def has_decimal_comma(dataset: Dataset, keyword: str) -> bool:
    """Whether a value of a decimal tag is read because its comma is taken for a point."""
    parts = _parts(dataset, keyword)
    return any("," in part and _decimal(part) is not None for part in parts)


def stored_value(dataset: Dataset, keyword: str) -> Any:
    """A tag's value as pydicom converts it; raises ImageError if it cannot."""
    try:
        return dataset.get(keyword)
    # pydicom converts a value when it is asked for, and a damaged one makes it raise any of
    # these; NotImplementedError is what it raises for a value representation it cannot read.
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError, struct.error):
        raise ImageError(
            f"The DICOM file's {keyword} cannot be read: it is damaged. Export it again."
        ) from None


def is_many(value: Any) -> bool:
    """Whether pydicom gives several values, or the items of a sequence."""
    return not isinstance(value, str | bytes) and hasattr(value, "__len__")


def _parts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """The texts between the backslashes, before pydicom converts them all or none."""
    if keyword not in dataset:
        return ()
    element = dataset.get_item(keyword)
    if isinstance(element.value, bytes) and element.VR in _TEXT_KINDS:
        text = element.value.decode("ascii", "replace").strip("\0 ")
        return tuple(text.split("\\")) if text else ()
    try:
        value = stored_value(dataset, keyword)
    except ImageError:
        return ("unreadable",)
    if value is None or value == "":
        return ()
    return tuple(str(part) for part in (value if is_many(value) else [value]))


def _decimal(text: str) -> float | None:
    text = text.strip("\0 ")
    if _ALONE.fullmatch(text):
        text = text.replace(",", ".")
    if not _DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
