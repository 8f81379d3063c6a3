"""What a decoder makes of a file: the same for PNG, JPEG and DICOM."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from medgemma_dash.core.radiograph import Laterality, Window


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """A picture and what its file says about it.

    picture: float32 (H, W) intensities, uint8 (H, W) greys, or uint8 (H, W, 3) colours.
    windows: in the units of the intensities; the first one is shown.
    """

    picture: Shaped[np.ndarray, "rows cols *channels"]
    windows: tuple[Window, ...]
    laterality: Laterality
    warnings: tuple[str, ...]
    spacing_mm: tuple[float, float] | None = None
    tags: tuple[tuple[str, str], ...] = ()
