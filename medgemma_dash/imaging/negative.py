"""A radiograph the other way round: for a file that is wrong about what is bright in it."""

from dataclasses import replace
from hashlib import sha256

from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.imaging.window import mirrored

TURNED = "Inverted, as the reader chose."


def negative(radiograph: Radiograph) -> Radiograph:
    """The radiograph's negative, in the negatives of its windows.

    It has an identity of its own, which follows from that of the file: the model sees another
    picture.
    """
    values = radiograph.intensities
    total = float(values.min()) + float(values.max())
    return replace(
        radiograph,
        pixels=255 - radiograph.pixels,
        sha256=sha256(f"negative of {radiograph.sha256}".encode()).hexdigest(),
        intensities=(total - values).astype(values.dtype),
        windows=tuple(mirrored(window, total) for window in radiograph.windows),
        warnings=(*radiograph.warnings, TURNED),
    )
