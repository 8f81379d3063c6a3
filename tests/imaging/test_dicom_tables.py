"""Lookup tables of a DICOM file: read, set right, or left out with a notice."""

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from tests.imaging.decoding import read, said
from tests.imaging.dicom_files import DEEP, native

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about these files

CURVE = np.round(60_000 * (np.arange(4096) / 4095) ** 2).astype(np.uint16)


def table(entries: Any, count: int, bits: int, kind: str = "US") -> list[Dataset]:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [count, 0, bits])
    item.add_new("LUTData", kind, entries)
    return [item]


@pytest.mark.parametrize("keyword", ["VOILUTSequence", "ModalityLUTSequence"])
@pytest.mark.parametrize("bits", [10, 0, 255])
def test_a_table_that_misstates_its_bits_has_its_real_range(keyword: str, bits: int) -> None:
    image = read(native(DEEP, bits=12, **{keyword: table(CURVE.tolist(), 4096, bits)}))
    np.testing.assert_array_equal(image.picture, CURVE[DEEP].astype(np.float32))
    assert "real range" in said(image)
    if keyword == "VOILUTSequence":
        assert image.windows[0].width == 65_536


@pytest.mark.parametrize("kind", ["US", "OW"])
def test_entries_of_eight_bits_are_read_in_pairs(kind: str) -> None:
    entries = (CURVE >> 8).astype(np.uint8)
    packed = entries.tobytes() if kind == "OW" else entries.view("<u2").tolist()
    tables = table(packed, 4096, 8, kind)
    image = read(native(DEEP, bits=12, VOILUTSequence=tables))
    np.testing.assert_array_equal(image.picture, entries[DEEP].astype(np.float32))


@pytest.mark.parametrize("entries", [[1, 2, 3], [7]])
def test_a_table_that_cannot_be_read_is_left_out_and_said(entries: list[int]) -> None:
    display = read(native(DEEP, bits=12, VOILUTSequence=table(entries, 4096, 16)))
    window = {"WindowCenter": 40, "WindowWidth": 4}
    modality = read(native(DEEP, bits=12, ModalityLUTSequence=table(entries, 4096, 16), **window))
    for image in (display, modality):
        np.testing.assert_array_equal(image.picture, DEEP.astype(np.float32))
        assert [one.name for one in image.windows] == ["Whole range"]
        assert "lookup table" in said(image)
        assert "left out" in said(image)


def test_the_first_readable_table_of_several_is_used() -> None:
    tables = [*table([1], 4096, 16), *table(CURVE.tolist(), 4096, 16)]
    image = read(native(DEEP, bits=12, VOILUTSequence=tables))
    np.testing.assert_array_equal(image.picture, CURVE[DEEP].astype(np.float32))
