"""From the bytes of a PNG, JPEG or DICOM file to a `Radiograph`, and back to a picture.

Imports neither torch nor Streamlit; files are decoded, and pydicom imported, only in the guarded
process, and OpenCV here only when a body mask or a JPEG is asked for.
"""

from medgemma_dash.imaging.body_mask import body_mask
from medgemma_dash.imaging.encode import jpeg_bytes, shrunk
from medgemma_dash.imaging.limits import (
    DECODE_MEGABYTES,
    DECODE_SECONDS,
    MAX_ASPECT_RATIO,
    MAX_FILE_BYTES,
    MAX_PIXELS,
    MIN_SIDE,
)
from medgemma_dash.imaging.negative import negative
from medgemma_dash.imaging.read import load_radiograph
from medgemma_dash.imaging.window import apply_window, is_usable

__all__ = [
    "DECODE_MEGABYTES",
    "DECODE_SECONDS",
    "MAX_ASPECT_RATIO",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "MIN_SIDE",
    "apply_window",
    "body_mask",
    "is_usable",
    "jpeg_bytes",
    "load_radiograph",
    "negative",
    "shrunk",
]
