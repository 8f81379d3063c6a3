"""How a DICOM file's pixels are laid out (PS3.3 C.7.6.3). Runs in the decoding process.

Rows, columns, allocated bits and the pixel data itself must be there. What has only one usual
value gets it, with a notice, and a count of frames is believed as far as there are pixels for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.dicom.numbers import hinted_number, whole_number
from medgemma_dash.imaging.limits import check_picture_size

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(frozen=True)
class Layout:
    """The Image Pixel module, checked.

    bits: those stored of a sample. planar: whether each colour is a plane of its own.
    frames: as the file states them; only the first one is read.
    """

    rows: int
    cols: int
    samples: int
    photometric: str
    allocated: int
    bits: int
    signed: bool
    planar: bool
    frames: int

    @property
    def frame_bytes(self) -> int:
        """Length of an uncompressed frame, without the byte that makes it even."""
        # Native 4:2:2 has two luminances and two colour differences for every two pixels.
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.rows * self.cols * samples * self.allocated // 8


def read_layout(dataset: Dataset) -> tuple[Layout, tuple[str, ...]]:
    """The layout, and notices of what was assumed; raises ImageError for one that is not read."""
    _check_pixel_data(dataset)
    rows, cols = whole_number(dataset, "Rows"), whole_number(dataset, "Columns")
    check_picture_size(rows, cols)
    assumed: list[str] = []
    samples, photometric = _colour_model(dataset, assumed)
    allocated = whole_number(dataset, "BitsAllocated")
    bits = hinted_number(dataset, "BitsStored")
    if bits is None:
        bits = allocated
        assumed.append(f"BitsStored ({allocated}, all that are allocated)")
    high = hinted_number(dataset, "HighBit")
    if allocated not in (8, 16) or not 8 <= bits <= allocated or high not in (None, bits - 1):
        raise ImageError(
            f"The DICOM file states {bits} bits in {allocated}, the highest at {high}; "
            "8 to 16 bits in 8 or 16, right-aligned, are read. Export it again."
        )
    representation = hinted_number(dataset, "PixelRepresentation")
    if representation not in (0, 1):
        assumed.append("PixelRepresentation (unsigned numbers)")
    planar = hinted_number(dataset, "PlanarConfiguration")
    if samples > 1 and planar not in (0, 1):
        assumed.append("PlanarConfiguration (colour by pixel)")
    frames, odd_count = _frames(dataset)
    layout = Layout(
        rows=rows,
        cols=cols,
        samples=samples,
        photometric=photometric,
        allocated=allocated,
        bits=bits,
        signed=representation == 1,
        planar=planar == 1,
        frames=frames,
    )
    notice = (
        f"The file does not say all about its pixels; assumed as usual: {', '.join(assumed)}.",
    )
    return layout, (*(notice if assumed else ()), *odd_count)


def _check_pixel_data(dataset: Dataset) -> None:
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


def _colour_model(dataset: Dataset, assumed: list[str]) -> tuple[int, str]:
    samples = hinted_number(dataset, "SamplesPerPixel")
    photometric = facts.word(dataset, "PhotometricInterpretation", facts.PHOTOMETRIC)
    grey = photometric.startswith("MONOCHROME")
    if photometric in ("", facts.UNREADABLE) and samples in (None, 1):
        photometric, grey = "MONOCHROME2", True
        assumed.append("PhotometricInterpretation (MONOCHROME2: low values are dark)")
    if samples is None:
        samples = 1 if grey else 3
        assumed.append(f"SamplesPerPixel ({samples})")
    if photometric not in facts.PHOTOMETRIC or samples not in (1, 3) or (samples == 1) != grey:
        raise ImageError(
            "The DICOM file's colour model is not one that is read: MONOCHROME1 and MONOCHROME2 "
            "with one sample a pixel, RGB and YBR with three. Export it as MONOCHROME2."
        )
    return samples, photometric


def _frames(dataset: Dataset) -> tuple[int, tuple[str, ...]]:
    count = hinted_number(dataset, "NumberOfFrames")
    if count is not None and count >= 1:
        return count, ()
    if facts.words(dataset, "NumberOfFrames") in ((), ("",)):
        return 1, ()
    return 1, ("The file's number of frames cannot be right; its first frame is shown.",)
