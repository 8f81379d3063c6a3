"""Lookup tables of DICOM (PS3.3 C.11.1 and C.11.2). Runs in the decoding process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Shaped, UInt16

from medgemma_dash.core.errors import ImageError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DAMAGED = "The DICOM file's lookup table is damaged. Export it again without a lookup table."
_ENTRIES, _FIRST, _BITS = range(3)


@dataclass(frozen=True)
class LookupTable:
    """Maps input `first` to entries[0]; inputs beyond either end take the end's entry."""

    first: int
    bits: int
    entries: UInt16[np.ndarray, " entries"]

    def apply(self, values: Shaped[np.ndarray, "rows cols"]) -> Float32[np.ndarray, "rows cols"]:
        """Look every value up, rounded to the nearest whole number."""
        index = np.rint(values).astype(np.int64) - self.first
        np.clip(index, 0, len(self.entries) - 1, out=index)
        looked_up: Float32[np.ndarray, "rows cols"] = self.entries.astype(np.float32)[index]
        return looked_up


def read_table(item: Dataset, *, signed_input: bool) -> LookupTable:
    """Read LUTDescriptor and LUTData of a sequence item; raises ImageError if they disagree."""
    little = item.original_encoding[1] in (True, None)
    descriptor = _shorts(item.get("LUTDescriptor"), little)
    if len(descriptor) != 3:
        raise ImageError(_DAMAGED)
    count = int(descriptor[_ENTRIES]) % 2**16 or 2**16  # 0 stands for 65,536
    first = int(descriptor[_FIRST]) % 2**16
    if signed_input and first >= 2**15:
        first -= 2**16
    bits = int(descriptor[_BITS])
    data = item.get("LUTData")
    if isinstance(data, bytes) and count <= len(data) <= count + 1 and bits <= 8:
        entries = np.frombuffer(data, np.uint8)[:count].astype(np.uint16)
    else:
        entries = _shorts(data, little)[:count]
    if len(entries) != count or not 8 <= bits <= 16 or int(entries.max()) >= 2**bits:
        raise ImageError(_DAMAGED)
    return LookupTable(first, bits, entries)


def _shorts(value: Any, little: bool) -> UInt16[np.ndarray, " values"]:
    """16-bit values that pydicom gives as numbers, or as bytes where their sign is unsettled."""
    if isinstance(value, bytes):
        whole = value[: len(value) // 2 * 2]
        return np.frombuffer(whole, "<u2" if little else ">u2").astype(np.uint16)
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=np.int64))
    except (TypeError, ValueError, OverflowError):
        raise ImageError(_DAMAGED) from None
    return (numbers % 2**16).astype(np.uint16)
