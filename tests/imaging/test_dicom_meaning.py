"""What a DICOM file says about its pixels is obeyed, in the standard's order."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging import apply_window, load_radiograph
from medgemma_dash.imaging.window_names import distinct
from tests.imaging.dicom_files import DEEP, native, sample_picture

BIG_ENDIAN = "1.2.840.10008.1.2.2"


def lookup_table(entries: Any, first: int = 0, bits: int = 16) -> list[Dataset]:
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "US", [int(entry) for entry in entries])
    return [item]


def test_inverted_storage_with_monochrome1_shows_the_same_picture() -> None:
    windows = {"WindowCenter": [1800, 900], "WindowWidth": [2500, 300]}
    plain = load_radiograph(native(DEEP, bits=12, **windows))
    mirrored = {**windows, "WindowCenter": [4096 - 1800, 4096 - 900]}
    inverted = load_radiograph(
        native(4095 - DEEP, bits=12, PhotometricInterpretation="MONOCHROME1", **mirrored)
    )
    np.testing.assert_array_equal(plain.pixels, inverted.pixels)
    np.testing.assert_array_equal(plain.intensities, inverted.intensities)
    assert plain.windows == inverted.windows


def test_monochrome1_is_shown_as_the_negative() -> None:
    eight = sample_picture(40, 48, 8)
    plain = load_radiograph(native(eight))
    inverted = load_radiograph(native(eight, PhotometricInterpretation="MONOCHROME1"))
    np.testing.assert_array_equal(plain.pixels, 255 - inverted.pixels)


def test_all_presets_are_listed_by_their_names_and_the_first_is_shown() -> None:
    found = load_radiograph(
        native(
            DEEP,
            bits=12,
            WindowCenter=[2000, 1000],
            WindowWidth=[3000, 500],
            WindowCenterWidthExplanation=["NORMAL", "Soft_Tissue"],
        )
    )
    assert found.windows[:2] == (
        Window("NORMAL", 2000.0, 3000.0),
        Window("Soft Tissue", 1000.0, 500.0),
    )
    assert found.windows[2].name == "Whole range"
    shown = apply_window(DEEP.astype(np.float32), Window("", 2000.0, 3000.0))
    np.testing.assert_array_equal(found.pixels[..., 0], shown)


@pytest.mark.parametrize("secret", ["DOE JANE", "Lung of Doe", "<script>HARD", "WINDOW 19991231"])
def test_free_text_is_never_a_windows_name(secret: str) -> None:
    names = ["LUNG", secret]
    found = load_radiograph(
        native(
            DEEP,
            bits=12,
            WindowCenter=[2000, 1000],
            WindowWidth=[3000, 500],
            WindowCenterWidthExplanation=names,
        )
    )
    assert [window.name for window in found.windows] == ["LUNG", "Window 2", "Whole range"]


def test_every_window_has_a_name_of_its_own_and_the_readers_is_kept() -> None:
    found = load_radiograph(
        native(
            DEEP,
            bits=12,
            WindowCenter=[2000, 1000, 900, 800],
            WindowWidth=[3000, 500, 400, 300],
            WindowCenterWidthExplanation=["LUNG", "Lung", "WINDOW 4", "Own"],
        )
    )
    names = [window.name for window in found.windows]
    assert names == ["LUNG", "Lung (2)", "WINDOW 4", "Window 4 (2)", "Whole range"]
    assert found.windows[1].centre == 1000
    renamed = distinct([Window("own", 1.0, 2.0), Window("Own", 3.0, 4.0)])
    assert [window.name for window in renamed] == ["own (2)", "Own (3)"]


def test_exact_window_is_the_standards_exact_function() -> None:
    data = native(DEEP, bits=12, WindowCenter=2000, WindowWidth=3000, VOILUTFunction="LINEAR_EXACT")
    shown = load_radiograph(data).pixels[..., 0]
    exact = np.clip(((DEEP.astype(float) - 2000) / 3000 + 0.5) * 255, 0, 255)
    assert np.abs(shown - np.rint(exact)).max() <= 1  # a tie may round either way


def test_inverted_storage_with_an_exact_window_shows_the_same_picture() -> None:
    exact = {"WindowWidth": 2500, "VOILUTFunction": "LINEAR_EXACT"}
    plain = load_radiograph(native(DEEP, bits=12, WindowCenter=1800, **exact))
    monochrome1 = {"WindowCenter": 4095 - 1800, "PhotometricInterpretation": "MONOCHROME1"}
    inverted = load_radiograph(native(4095 - DEEP, bits=12, **monochrome1, **exact))
    np.testing.assert_array_equal(plain.pixels, inverted.pixels)
    assert plain.windows == inverted.windows


@pytest.mark.parametrize("slope", [1e-3, 1e-6, 1e-20])
def test_intensities_that_differ_by_fractions_are_shown_from_black_to_white(slope: float) -> None:
    found = load_radiograph(native(DEEP, bits=12, RescaleSlope=f"{slope:g}", RescaleIntercept=0))
    unscaled = load_radiograph(native(DEEP, bits=12))
    difference = found.pixels.astype(int) - unscaled.pixels
    assert np.abs(difference).max() <= 1  # float32 intensities round a tie either way


def test_unusable_presets_are_left_out_with_a_warning() -> None:
    found = load_radiograph(native(DEEP, bits=12, WindowCenter=[9, 1000], WindowWidth=[0, 500]))
    assert found.windows[0].centre == 1000
    assert any("left out" in warning for warning in found.warnings)


def test_rescale_comes_before_the_window() -> None:
    data = native(
        DEEP, bits=12, RescaleSlope=2, RescaleIntercept=-1000, WindowCenter=500, WindowWidth=4000
    )
    found = load_radiograph(data)
    np.testing.assert_array_equal(found.intensities, DEEP.astype(np.float32) * 2 - 1000)
    shown = apply_window(found.intensities, Window("", 500.0, 4000.0))
    np.testing.assert_array_equal(found.pixels[..., 0], shown)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", BIG_ENDIAN])
def test_modality_table_is_looked_up(syntax: str) -> None:
    entries = (np.arange(4000) ** 2) % 60_000
    data = native(DEEP, syntax, bits=12, ModalityLUTSequence=lookup_table(entries, first=50))
    expected = entries[np.clip(DEEP.astype(int) - 50, 0, 3999)]
    np.testing.assert_array_equal(load_radiograph(data).intensities, expected)


def test_display_table_is_used_where_there_is_no_window() -> None:
    entries = np.round(4095 * (np.arange(4096) / 4095) ** 2)
    data = native(DEEP, bits=12, VOILUTSequence=lookup_table(entries, bits=12))
    found = load_radiograph(data)
    np.testing.assert_array_equal(found.intensities, entries[DEEP])
    assert found.windows[0] == Window("Lookup table of the file", 2048.0, 4096.0)
    assert any("lookup table" in warning for warning in found.warnings)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_outside_the_range(photometric: str) -> None:
    padded = DEEP.copy()
    padded[:10] = 4095
    limits = {"PixelPaddingValue": 4095, "PhotometricInterpretation": photometric}
    found = load_radiograph(native(padded, bits=12, **limits))
    rest = found.intensities[10:]
    assert found.pixels[:10].max() == 0
    assert found.pixels[10:].max() == 255
    assert (found.intensities[:10] == rest.min()).all()


def test_patient_data_appear_nowhere() -> None:
    found = load_radiograph(
        native(
            DEEP,
            bits=12,
            BodyPartExamined="DOE JANE",
            ViewPosition="SECRET",
            WindowCenter=2000,
            WindowWidth=3000,
            WindowCenterWidthExplanation="DOE 1999",
        )
    )
    text = repr((found.tags, found.warnings, found.windows, found.laterality.source))
    for secret in ("Doe", "DOE", "SECRET", "Secret", "4711", "1999", "1.2.3.4"):
        assert secret not in text
    assert dict(found.tags)["Body part"] == "other"


def test_orientation_spacing_and_facts_are_read() -> None:
    found = load_radiograph(
        native(DEEP, bits=12, PatientOrientation=["R", "F"], ImagerPixelSpacing=[0.2, 0.1])
    )
    assert found.laterality == "right"
    assert found.spacing_mm == (0.2, 0.1)
    assert dict(found.tags)["Transfer syntax"] == "Explicit VR Little Endian"
    assert dict(found.tags)["Bits stored"] == "12"


def test_burned_in_text_is_warned_of() -> None:
    said = load_radiograph(native(DEEP, bits=12, BurnedInAnnotation="YES")).warnings
    silent = load_radiograph(native(DEEP, bits=12, BurnedInAnnotation=None)).warnings
    denied = load_radiograph(native(DEEP, bits=12)).warnings
    assert any("is burned into" in warning for warning in said)
    assert any("may be burned into" in warning for warning in silent)
    assert not any("burned" in warning for warning in denied)


@pytest.mark.parametrize(("down", "head"), [("F", "top"), ("H", "bottom")])
def test_the_edge_towards_the_head_is_read(down: str, head: str) -> None:
    found = load_radiograph(native(DEEP, bits=12, PatientOrientation=["L", down]))
    assert (found.laterality, found.laterality.head) == ("left", head)


def test_reading_needs_neither_torch_nor_streamlit() -> None:
    code = (
        "import sys; from medgemma_dash.imaging import load_radiograph; "
        "heavy = {'torch', 'streamlit', 'pydicom', 'cv2', 'transformers'} & set(sys.modules); "
        "sys.exit(', '.join(heavy) or 0)"
    )
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
