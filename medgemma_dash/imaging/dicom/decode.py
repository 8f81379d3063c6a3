"""DICOM bytes to a picture: stored values of the one frame, then what they mean.

Runs in the decoding process, under its memory limit. Imports pydicom.
"""

from __future__ import annotations

import io

import numpy as np
import pydicom
from jaxtyping import Shaped, UInt16
from pydicom.pixels import get_decoder

from medgemma_dash.core.errors import ImageError
from medgemma_dash.core.radiograph import Window
from medgemma_dash.imaging.decoded import DecodedImage
from medgemma_dash.imaging.deep_colours import eight_bit_colours, only_grey
from medgemma_dash.imaging.dicom import facts
from medgemma_dash.imaging.dicom.coverage import check_coverage
from medgemma_dash.imaging.dicom.frames import compressed_frame, encapsulated, native_frame
from medgemma_dash.imaging.dicom.intensities import intensities
from medgemma_dash.imaging.dicom.layout import Layout, read_layout
from medgemma_dash.imaging.dicom.notices import file_notices
from medgemma_dash.imaging.dicom.run_lengths import check_run_lengths
from medgemma_dash.imaging.dicom.stored_bits import within_stored_bits
from medgemma_dash.imaging.dicom.stream import stated_size
from medgemma_dash.imaging.dicom.transfer_syntax import LOSSY, NATIVE, READABLE, RLE, TWO_SYNTAXES
from medgemma_dash.imaging.laterality import VIEWS, read_laterality
from medgemma_dash.imaging.window import EIGHT_BIT, WHOLE_RANGE, spanning_window

_WRONG_SIZE = (
    "The picture in the DICOM file does not have the size that the file states: it is damaged. "
    "Export it again."
)


def decode_dicom(data: bytes, transfer_syntax: str) -> DecodedImage:
    """Decode one radiograph; raises ImageError for all that is wrong and foreseen."""
    dataset = pydicom.dcmread(io.BytesIO(data), specific_tags=facts.READ_TAGS)
    if "TransferSyntaxUID" in dataset:
        raise ImageError(TWO_SYNTAXES)
    facts.check_modality(facts.word(dataset, "Modality"))
    layout, assumed = read_layout(dataset)
    orientation = facts.words(dataset, "PatientOrientation")
    view = facts.word(dataset, "ViewPosition", VIEWS)
    laterality, side_warnings = read_laterality(orientation, view)
    warnings = (*file_notices(dataset, transfer_syntax, layout), *assumed)
    stored, more = _stored_values(dataset, transfer_syntax, layout)
    warnings += more
    if layout.samples == 3 and layout.signed:
        raise ImageError("The DICOM file states signed colours, which do not exist.")
    if layout.samples == 3 and layout.bits == 8:
        picture: Shaped[np.ndarray, "rows cols *channels"] = stored.astype(np.uint8)
        windows: tuple[Window, ...] = (EIGHT_BIT,)
    elif layout.samples == 3:
        picture, windows, more = _deep_colour(stored)
        warnings += more
    else:
        picture, windows, more = intensities(dataset, stored, layout)
        warnings += more
    return DecodedImage(
        picture=picture,
        windows=windows,
        laterality=laterality,
        spacing_mm=facts.spacing_mm(dataset),
        tags=facts.tag_pairs(
            dataset, layout.rows, layout.cols, layout.bits, READABLE[transfer_syntax]
        ),
        warnings=(*side_warnings, *warnings),
    )


def _stored_values(
    dataset: pydicom.Dataset, transfer_syntax: str, layout: Layout
) -> tuple[Shaped[np.ndarray, "rows cols *channels"], tuple[str, ...]]:
    """The first frame's values, within their stored bits, and notices."""
    decoder = get_decoder(transfer_syntax)
    plugin = "pylibjpeg" if "pylibjpeg" in decoder.available_plugins else ""
    if transfer_syntax not in NATIVE and not decoder.is_available:
        raise ImageError(
            f"This installation has no decoder for {READABLE[transfer_syntax]}. Install "
            "pylibjpeg, pylibjpeg-libjpeg, pylibjpeg-openjpeg and pylibjpeg-rle, or export the "
            "radiograph uncompressed."
        )
    warnings: tuple[str, ...] = ()
    if transfer_syntax in NATIVE:
        frame = native_frame(dataset.PixelData, layout)
        source = frame.data
    else:
        frame = compressed_frame(dataset.PixelData, layout)
        if transfer_syntax != RLE and stated_size(frame.data) != (layout.rows, layout.cols):
            raise ImageError(_WRONG_SIZE)
        if transfer_syntax == RLE:
            warnings = check_run_lengths(frame.data, layout.rows * layout.cols)
        else:
            warnings = check_coverage(frame.data)
        source = encapsulated(frame.data)
    array, properties = decoder.as_array(
        source,
        decoding_plugin=plugin,
        pixel_keyword="PixelData",
        pixel_vr=dataset["PixelData"].VR,
        rows=layout.rows,
        columns=layout.cols,
        number_of_frames=1,
        allow_excess_frames=False,
        samples_per_pixel=layout.samples,
        photometric_interpretation=layout.photometric,
        # Compressed colours come by pixel, whatever the file says; run lengths see to themselves.
        planar_configuration=int(layout.planar and transfer_syntax in NATIVE),
        bits_allocated=layout.allocated,
        bits_stored=layout.bits,
        pixel_representation=int(layout.signed),
        correct_unused_bits=False,  # they are looked at below, for every transfer syntax
    )
    expected = (layout.rows, layout.cols) + ((3,) if layout.samples == 3 else ())
    if array.shape != expected:
        raise ImageError(_WRONG_SIZE)
    if layout.samples == 3 and properties["photometric_interpretation"] not in ("RGB",):
        raise ImageError("The DICOM file's colours cannot be read. Export it as MONOCHROME2.")
    lossy = transfer_syntax in LOSSY
    values, more = within_stored_bits(np.asarray(array), layout.bits, layout.signed, lossy=lossy)
    return values, (*frame.notices, *warnings, *more)


def _deep_colour(
    stored: UInt16[np.ndarray, "rows cols 3"],
) -> tuple[Shaped[np.ndarray, "rows cols *channels"], tuple[Window, ...], tuple[str, ...]]:
    """Colours of more than 8 bits, from the smallest to the largest value; grey ones as grey."""
    grey = only_grey(stored)
    if grey is not None:
        window = spanning_window(WHOLE_RANGE, float(grey.min()), float(grey.max()))
        return grey.astype(np.float32), (window,), ()
    said = "The picture has more than 8 bits; the model sees 8, darkest to brightest."
    return eight_bit_colours(stored), (EIGHT_BIT,), (said,)
