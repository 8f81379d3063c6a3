"""DICOM bytes to intensities, in the standard's order: modality LUT, VOI, then inversion.

Runs in the decoding process, under its memory limit. Imports pydicom.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import numpy as np
import pydicom
from jaxtyping import Bool, Float32, Shaped, UInt8
from pydicom.encaps import get_frame
from pydicom.pixels import get_decoder

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.decoded import DecodedImage
from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.dicom.coverage import check_coverage
from medgemma_dash.imaging.dicom.notices import notices
from medgemma_dash.imaging.dicom.stream import stated_size
from medgemma_dash.imaging.dicom.tables import read_table
from medgemma_dash.imaging.dicom.transfer_syntax import NATIVE, READABLE, RLE
from medgemma_dash.imaging.dicom.windows import presets
from medgemma_dash.imaging.laterality import VIEWS, read_laterality
from medgemma_dash.imaging.limits import check_picture_size
from medgemma_dash.imaging.window import EIGHT_BIT, mirrored, spanning_window
from medgemma_dash.imaging.window_names import distinct

_WRONG_SIZE = (
    "The picture in the DICOM file does not have the size that the file states: it is damaged. "
    "Export it again."
)
WHOLE_RANGE = "Whole range"


@dataclass(frozen=True)
class _Layout:
    """The Image Pixel module, checked."""

    rows: int
    cols: int
    samples: int
    photometric: str
    bits: int
    signed: bool


def decode_dicom(data: bytes, transfer_syntax: str) -> DecodedImage:
    """Decode one radiograph; raises ImageError for all that is wrong and foreseen."""
    dataset = pydicom.dcmread(io.BytesIO(data), specific_tags=facts.READ_TAGS)
    facts.check_modality(facts.word(dataset, "Modality"))
    layout = _check_layout(dataset)
    orientation = facts.words(dataset, "PatientOrientation")
    view = facts.word(dataset, "ViewPosition", VIEWS)
    laterality, side_warnings = read_laterality(orientation, view)
    warnings = notices(dataset, transfer_syntax, layout.bits)
    stored, more = _stored_values(dataset, transfer_syntax, layout)
    warnings += more
    if layout.samples == 3:
        picture: Shaped[np.ndarray, "rows cols *channels"] = _eight_bit_colour(stored, layout)
        windows: tuple[Window, ...] = (EIGHT_BIT,)
    else:
        picture, windows, more = _intensities(dataset, stored, layout)
        warnings += more
    return DecodedImage(
        picture=picture,
        windows=windows,
        laterality=laterality,
        spacing_mm=facts.spacing_mm(dataset),
        tags=facts.tag_pairs(dataset, READABLE[transfer_syntax]),
        warnings=(*side_warnings, *warnings),
    )


def _check_layout(dataset: pydicom.Dataset) -> _Layout:
    if "FloatPixelData" in dataset or "DoubleFloatPixelData" in dataset:
        raise ImageError(
            "The DICOM file holds floating-point pixels, which radiographs do not use. "
            "Export it with 8 to 16 bits."
        )
    if "PixelData" not in dataset or not dataset.PixelData:
        raise ImageError(
            "The DICOM file holds no picture: it has no pixel data, or is cut off before them. "
            "Copy or download it again, and choose the image, not a report about it."
        )
    frames = facts.whole_number(dataset, "NumberOfFrames", 1)
    if frames > 1:
        raise ImageError(
            f"The DICOM file holds {frames} frames; one radiograph is read at a time. "
            "Export the frame you want as its own file."
        )
    rows, cols = facts.whole_number(dataset, "Rows"), facts.whole_number(dataset, "Columns")
    check_picture_size(rows, cols)
    samples = facts.whole_number(dataset, "SamplesPerPixel", 1)
    photometric = facts.word(dataset, "PhotometricInterpretation", facts.PHOTOMETRIC)
    if samples not in (1, 3) or (samples == 1) != photometric.startswith("MONOCHROME"):
        raise ImageError(
            "The DICOM file's colour model is not one that is read: MONOCHROME1 and MONOCHROME2 "
            "with one sample a pixel, RGB and YBR with three. Export it as MONOCHROME2."
        )
    allocated = facts.whole_number(dataset, "BitsAllocated")
    stored = facts.whole_number(dataset, "BitsStored", allocated)
    high = facts.whole_number(dataset, "HighBit", stored - 1)
    if allocated not in (8, 16) or not 8 <= stored <= allocated or high != stored - 1:
        raise ImageError(
            f"The DICOM file states {stored} bits in {allocated}, the highest at {high}; "
            "8 to 16 bits in 8 or 16, right-aligned, are read. Export it again."
        )
    signed = facts.whole_number(dataset, "PixelRepresentation", 0) == 1
    return _Layout(rows, cols, samples, photometric, stored, signed)


def _stored_values(
    dataset: pydicom.Dataset, transfer_syntax: str, layout: _Layout
) -> tuple[Shaped[np.ndarray, "rows cols *channels"], tuple[str, ...]]:
    warnings: tuple[str, ...] = ()
    decoder = get_decoder(transfer_syntax)
    plugin = "pylibjpeg" if "pylibjpeg" in decoder.available_plugins else ""
    if transfer_syntax not in NATIVE and not decoder.is_available:
        raise ImageError(
            f"This installation has no decoder for {READABLE[transfer_syntax]}. Install "
            "pylibjpeg, pylibjpeg-libjpeg, pylibjpeg-openjpeg and pylibjpeg-rle, or export the "
            "radiograph uncompressed."
        )
    if transfer_syntax not in NATIVE and transfer_syntax != RLE:
        frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
        if stated_size(frame) != (layout.rows, layout.cols):
            raise ImageError(_WRONG_SIZE)
        warnings = check_coverage(frame)
    array, properties = decoder.as_array(dataset, decoding_plugin=plugin)
    expected = (layout.rows, layout.cols) + ((3,) if layout.samples == 3 else ())
    if array.shape != expected:
        raise ImageError(_WRONG_SIZE)
    if layout.samples == 3 and properties["photometric_interpretation"] not in ("RGB",):
        raise ImageError("The DICOM file's colours cannot be read. Export it as MONOCHROME2.")
    return np.asarray(array), warnings


def _eight_bit_colour(
    stored: Shaped[np.ndarray, "rows cols 3"], layout: _Layout
) -> UInt8[np.ndarray, "rows cols 3"]:
    if layout.signed:
        raise ImageError("The DICOM file states signed colours, which do not exist.")
    return (stored >> (layout.bits - 8)).astype(np.uint8)


def _intensities(
    dataset: pydicom.Dataset, stored: Shaped[np.ndarray, "rows cols"], layout: _Layout
) -> tuple[Float32[np.ndarray, "rows cols"], tuple[Window, ...], tuple[str, ...]]:
    low, high = _stored_range(layout)
    padding = _padding(dataset, stored)
    values, low, high, rescaled = _modality(dataset, stored, layout, low, high)
    windows, warnings = presets(dataset)
    tables = facts.items(dataset, "VOILUTSequence")
    if tables and not windows:
        table = read_table(tables[0], signed_input=low < 0)
        values, low, high = table.apply(values), 0.0, float(2**table.bits - 1)
        windows = (spanning_window("Lookup table of the file", low, high),)
        warnings += ("The file's own lookup table was applied; intensities are in its units.",)
    elif not windows and layout.bits == 8 and not layout.signed and not rescaled:
        windows = (EIGHT_BIT,)
    if layout.photometric == "MONOCHROME1":
        np.subtract(np.float32(low + high), values, out=values)
        windows = tuple(mirrored(window, low + high) for window in windows)
    return *_with_whole_range(values, windows, padding), warnings


def _stored_range(layout: _Layout) -> tuple[float, float]:
    if layout.signed:
        return -float(2 ** (layout.bits - 1)), float(2 ** (layout.bits - 1) - 1)
    return 0.0, float(2**layout.bits - 1)


def _padding(
    dataset: pydicom.Dataset, stored: Shaped[np.ndarray, "rows cols"]
) -> Bool[np.ndarray, "rows cols"] | None:
    limits = facts.padding_range(dataset)
    if limits is None:
        return None
    mask = (stored >= limits[0]) & (stored <= limits[1])
    return mask if mask.any() and not mask.all() else None


def _modality(
    dataset: pydicom.Dataset,
    stored: Shaped[np.ndarray, "rows cols"],
    layout: _Layout,
    low: float,
    high: float,
) -> tuple[Float32[np.ndarray, "rows cols"], float, float, bool]:
    """Apply the modality LUT; return values, their possible range, and whether they changed."""
    tables = facts.items(dataset, "ModalityLUTSequence")
    if tables:
        table = read_table(tables[0], signed_input=layout.signed)
        return table.apply(stored), 0.0, float(2**table.bits - 1), True
    slope = (*facts.real_numbers(dataset, "RescaleSlope"), 1.0)[0]
    intercept = (*facts.real_numbers(dataset, "RescaleIntercept"), 0.0)[0]
    if slope == 0 or max(abs(slope), abs(intercept)) > 1e9:
        raise ImageError(
            "The DICOM file's rescale slope and intercept turn every pixel into the same value, "
            "or one beyond measure: it is damaged. Export it again."
        )
    values = stored.astype(np.float32)
    if (slope, intercept) == (1.0, 0.0):
        return values, low, high, False
    values *= np.float32(slope)
    values += np.float32(intercept)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    return values, ends[0], ends[1], True


def _with_whole_range(
    values: Float32[np.ndarray, "rows cols"],
    windows: tuple[Window, ...],
    padding: Bool[np.ndarray, "rows cols"] | None,
) -> tuple[Float32[np.ndarray, "rows cols"], tuple[Window, ...]]:
    """Blacken padding, and offer a window from the smallest to the largest real value."""
    if padding is None:
        low, high = float(values.min()), float(values.max())
    else:
        kept = ~padding
        low = float(values.min(where=kept, initial=np.inf))
        high = float(values.max(where=kept, initial=-np.inf))
        values[padding] = low
    whole = spanning_window(WHOLE_RANGE, low, high)
    listed = any(replace(window, name=WHOLE_RANGE) == whole for window in windows)
    return values, distinct(windows if listed else (*windows, whole))
