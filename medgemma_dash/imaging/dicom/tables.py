"""Lookup tables of DICOM (PS3.3 C.11.1 and C.11.2). Runs in the decoding process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Shaped, UInt16

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.dicom.numbers import is_many, stored_value

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_LEAST_BITS, _MOST_BITS = 8, 16


@dataclass(frozen=True)
class LookupTable:
    """Maps input `first` to entries[0]; inputs beyond either end take the end's entry.

    bits: of an entry: those that the file states, or more where the entries need more.
    agrees: whether the entries keep to the number of bits that the file states.
    """

    first: int
    bits: int
    entries: UInt16[np.ndarray, " entries"]
    agrees: bool

    @property
    def highest(self) -> float:
        """The largest value that an entry of this many bits can have; the smallest is 0."""
        return float(2**self.bits - 1)

    def apply(self, values: Shaped[np.ndarray, "rows cols"]) -> Float32[np.ndarray, "rows cols"]:
        """Look every value up, rounded to the nearest whole number."""
        index = np.rint(values).astype(np.int64) - self.first
        np.clip(index, 0, len(self.entries) - 1, out=index)
        looked_up: Float32[np.ndarray, "rows cols"] = self.entries.astype(np.float32)[index]
        return looked_up


def read_tables(
    dataset: Dataset, keyword: str, *, signed_input: bool
) -> tuple[LookupTable, ...] | None:
    """The readable tables of a sequence, () if the file has none, None if it has none readable."""
    try:
        items = stored_value(dataset, keyword)
    except ImageError:
        return None
    if items is None or not is_many(items) or len(items) == 0:
        return ()
    tables = [_read_table(item, signed_input=signed_input) for item in items]
    return tuple(table for table in tables if table is not None) or None


def _read_table(item: Dataset, *, signed_input: bool) -> LookupTable | None:
    """LUTDescriptor and LUTData of a sequence item; None if they make no table."""
    little = item.original_encoding[1] in (True, None)
    try:
        descriptor = _shorts(stored_value(item, "LUTDescriptor"), little)
        data = stored_value(item, "LUTData")
        words = _shorts(data, little)
    except (ImageError, TypeError, ValueError, OverflowError):
        return None
    if len(descriptor) != 3:
        return None
    count = int(descriptor[0]) or 2**16  # 0 stands for 65,536
    first = int(descriptor[1])
    if signed_input and first >= 2**15:
        first -= 2**16
    stated = int(descriptor[2])
    if len(words) >= count:
        entries = words[:count]
    elif stated <= 8 and len(words) == (count + 1) // 2:  # two entries in a word, the lower first
        packed = np.frombuffer(data, np.uint8) if isinstance(data, bytes) else _halves(words)
        entries = packed[:count].astype(np.uint16)
    else:
        return None
    needed = int(entries.max()).bit_length()
    agrees = max(needed, _LEAST_BITS) <= stated <= _MOST_BITS
    return LookupTable(first, stated if agrees else max(needed, _LEAST_BITS), entries, agrees)


def _halves(words: UInt16[np.ndarray, " words"]) -> Shaped[np.ndarray, " halves"]:
    return np.stack([words & 255, words >> 8], axis=1).reshape(-1)


def _shorts(value: Any, little: bool) -> UInt16[np.ndarray, " values"]:
    """16-bit values that pydicom gives as numbers, or as bytes where their sign is unsettled.

    Raises TypeError, ValueError or OverflowError for anything else.
    """
    if isinstance(value, bytes):
        whole = value[: len(value) // 2 * 2]
        return np.frombuffer(whole, "<u2" if little else ">u2").astype(np.uint16)
    numbers = np.atleast_1d(np.asarray(value, dtype=np.int64))
    return (numbers % 2**16).astype(np.uint16)
