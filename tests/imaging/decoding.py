"""Decoding DICOM files in the test's own process, and what is said of them."""

from medgemma_dash.imaging.dicom.decode import DecodedImage, decode_dicom
from medgemma_dash.imaging.dicom.transfer_syntax import read_transfer_syntax


def read(data: bytes) -> DecodedImage:
    """In this process, because starting one for each of many files takes long."""
    return decode_dicom(data, read_transfer_syntax(data))


def said(image: DecodedImage) -> str:
    return " ".join(image.warnings)
