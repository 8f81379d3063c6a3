"""DICOM files made by code: any picture, any tags, any of the transfer syntaxes."""

import io
import struct
from typing import Any

import numpy as np
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian

CR_STORAGE = "1.2.840.10008.5.1.4.1.1.1"
EXPLICIT, RLE = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.5"
JPEG_BASELINE, JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70"
JPEG_LS, JPEG_2000_LOSSLESS, JPEG_2000 = (f"1.2.840.10008.1.2.4.{n}" for n in (80, 90, 91))


def sample_picture(rows: int = 40, cols: int = 48, bits: int = 12, signed: bool = False) -> Any:
    """Smooth with a little texture, by whole-number arithmetic alone: the same everywhere."""
    r, c = np.mgrid[:rows, :cols].astype(np.int64)
    ramp = ((r * r + 3 * c * c + r * c) * 2**bits) // (5 * (rows * rows + cols * cols))
    values = (ramp + (r * 7 + c * 13) % 5) % 2**bits
    if signed:
        return (values - 2 ** (bits - 1)).astype(np.int8 if bits <= 8 else np.int16)
    return values.astype(np.uint8 if bits <= 8 else np.uint16)


DEEP, EIGHT = sample_picture(40, 48, 12), sample_picture(40, 48, 8)


def dataset_for(pixels: Any, *, bits: int | None = None, **tags: Any) -> Dataset:
    """A chest radiograph that holds `pixels`; further tags replace or, if None, remove."""
    dataset = Dataset()
    dataset.SOPClassUID = CR_STORAGE
    dataset.SOPInstanceUID = "1.2.3.4.5"
    dataset.PatientName = "Doe^Secret"
    dataset.PatientID = "SECRET-4711"
    dataset.InstitutionName = "Secret Hospital"
    dataset.StudyDate = "19991231"
    dataset.Modality = "CR"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.BurnedInAnnotation = "NO"
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    dataset.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored = bits or dataset.BitsAllocated
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for keyword, value in tags.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def dataset_of(data: bytes) -> Dataset:
    """The data set that a file holds."""
    return dcmread(io.BytesIO(data))


def file_bytes(dataset: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set as a DICOM file; a native big-endian one gets its pixels swapped."""
    syntax = UID(syntax)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CR_STORAGE)
    meta.MediaStorageSOPInstanceUID = "1.2.3.4.5"
    meta.ImplementationClassUID = "1.2.3"
    dataset.file_meta = meta
    if "PixelData" in dataset:
        deep = dataset.get("BitsAllocated", 8) > 8
        dataset["PixelData"].VR = "OW" if deep and not syntax.is_encapsulated else "OB"
        dataset["PixelData"].is_undefined_length = syntax.is_encapsulated
    buffer = io.BytesIO()
    implicit = syntax.is_implicit_VR
    little = syntax.is_little_endian
    if not little and dataset.get("BitsAllocated") == 16:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    dataset.save_as(buffer, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return buffer.getvalue()


def native(pixels: Any, syntax: str = ExplicitVRLittleEndian, **tags: Any) -> bytes:
    """An uncompressed file."""
    return file_bytes(dataset_for(pixels, **tags), syntax)


def encapsulated(stream: bytes, pixels: Any, syntax: str, **tags: Any) -> bytes:
    """A file whose one frame is `stream`, said to decode to `pixels`."""
    dataset = dataset_for(pixels, **tags)
    dataset.PixelData = encapsulate([stream])
    return file_bytes(dataset, syntax)


def compressed(pixels: Any, syntax: str, **tags: Any) -> bytes:
    """A file compressed by pydicom's own encoders (RLE, JPEG 2000)."""
    dataset = dataset_for(pixels, **tags)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset["PixelData"].VR = "OW" if dataset.BitsAllocated > 8 else "OB"
    options = {"j2k_cr": [5]} if syntax.endswith(".4.91") else {}
    dataset.compress(syntax, generate_instance_uid=False, **options)
    return file_bytes(dataset, syntax)


def jpeg_stream(pixels: Any, quality: int = 95) -> bytes:
    """A baseline JPEG stream."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def raw_element(group: int, element: int, kind: bytes, value: bytes) -> bytes:
    """One Explicit VR Little Endian element, for files that pydicom would refuse to write."""
    if kind in (b"OB", b"OW", b"SQ", b"UN", b"UT"):
        return struct.pack("<HH2s2xI", group, element, kind, len(value)) + value
    return struct.pack("<HH2sH", group, element, kind, len(value)) + value


def raw_file(syntax: bytes, body: bytes) -> bytes:
    """Preamble, file meta group with the transfer syntax, then `body` as it is."""
    uid = syntax + b"\0" * (len(syntax) % 2)
    return b"\0" * 128 + b"DICM" + raw_element(2, 0x10, b"UI", uid) + body
