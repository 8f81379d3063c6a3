"""Writing a synthetic radiograph as DICOM, as a digital radiography unit would."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from medgemma_dash.demo.frame import CENTIMETRES_PER_UNIT
from medgemma_dash.demo.radiographs import SyntheticRadiograph
from medgemma_dash.demo.thorax import CAGE_WIDTH

Photometric = Literal["MONOCHROME1", "MONOCHROME2"]

_BITS = 12
_TOP = (1 << _BITS) - 1
# An uncommitted root of our own: "2.25" plus any integer is a valid UID (DICOM PS3.5, B.2).
_ROOT = "2.25.77"


def stored_values(radiograph: SyntheticRadiograph, photometric: Photometric) -> NDArray[np.uint16]:
    """Return 12-bit values, uint16 (height, width).

    The picture's 8 bits are put into the middle of the range with room at both ends, so that a
    window has something to choose; MONOCHROME1 stores them inverted (low is bright).
    """
    low, high = _picture_range()
    values = np.rint(low + radiograph.pixels.astype(np.float64) / 255 * (high - low))
    stored = values.astype(np.uint16)
    return stored if photometric == "MONOCHROME2" else (_TOP - stored).astype(np.uint16)


def write_dicom(path: Path, radiograph: SyntheticRadiograph, photometric: Photometric) -> None:
    """Write a DX image, explicit VR little endian, without any identity.

    Two window presets: the whole picture, and a narrower one for the lungs. Both are in stored
    values, so MONOCHROME1's are mirrored.
    """
    unique = f"{_ROOT}.{radiograph.seed}"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID(f"{unique}.3")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = meta.MediaStorageSOPClassUID
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = UID(f"{unique}.1"), UID(f"{unique}.2")
    data.PatientName, data.PatientID = "Synthetic^Radiograph", "SYNTHETIC"
    data.PatientBirthDate = data.PatientSex = ""
    data.PatientIdentityRemoved = "YES"
    data.StudyDate = data.StudyTime = data.AccessionNumber = data.ReferringPhysicianName = ""
    data.StudyID, data.SeriesNumber, data.InstanceNumber = "1", "1", "1"
    data.Modality, data.BodyPartExamined, data.ViewPosition = "DX", "CHEST", "PA"
    data.Manufacturer = "synthetic"
    data.ImageType = ["DERIVED", "PRIMARY"]
    data.PresentationIntentType = "FOR PRESENTATION"
    data.BurnedInAnnotation = "NO"
    # Rows run to the patient's left, columns to the feet: the image's left is the patient's right.
    data.PatientOrientation = ["L", "F"]

    stored = stored_values(radiograph, photometric)
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = photometric
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, _BITS, _BITS - 1
    data.PixelRepresentation = 0
    data.PresentationLUTShape = "IDENTITY" if photometric == "MONOCHROME2" else "INVERSE"
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = "0", "1", "US"
    spacing = _millimetres_per_pixel(radiograph)
    data.PixelSpacing = data.ImagerPixelSpacing = [f"{spacing:.4f}", f"{spacing:.4f}"]
    centres, widths = _windows(photometric)
    data.WindowCenter, data.WindowWidth = centres, widths
    data.WindowCenterWidthExplanation = ["NORMAL", "LUNG"]
    data.PixelData = stored.astype("<u2").tobytes()
    data.save_as(path, enforce_file_format=True)


def _picture_range() -> tuple[int, int]:
    return 300, 3700


def _windows(photometric: Photometric) -> tuple[list[str], list[str]]:
    low, high = _picture_range()
    whole, lung = (low + high) // 2, low + round(0.40 * (high - low))
    centres = [whole, lung]
    if photometric == "MONOCHROME1":
        centres = [_TOP - centre for centre in centres]
    return [str(centre) for centre in centres], [str(high - low), str(round(0.7 * (high - low)))]


def _millimetres_per_pixel(radiograph: SyntheticRadiograph) -> float:
    """Take the spacing from the lungs: their outer edges are the cage's width apart."""
    columns = np.flatnonzero((radiograph.lungs["right"] | radiograph.lungs["left"]).any(axis=0))

    return CAGE_WIDTH * CENTIMETRES_PER_UNIT * 10 / float(columns[-1] - columns[0] + 1)
