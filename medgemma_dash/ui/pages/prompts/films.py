"""The film and changed copies of it, as small as they lie below maps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from medgemma_dash.core.errors import ImageError
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.imaging.encode import shrunk
from medgemma_dash.imaging.perturbations import perturbed, read_perturbation
from medgemma_dash.services.prompts.plan import UNCHANGED
from medgemma_dash.ui.pages.prompts.state import PromptsState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.ui.state.study import Study

# Noise, blur and single pixels are of the film's own pixels, and are not seen at this size.
SEEN_WHEN_SMALL = ("rotation", "contrast", "brightness")


def film_below(study: Study | None, perturbation: str, side_px: int) -> bytes:
    """A JPEG of what the model saw, none without a film; made once for each size."""
    if study is None:
        return b""
    kept, key = page_state(PromptsState).films, (perturbation, side_px)
    if key not in kept:
        kept[key] = _small_film(study, perturbation, side_px)
    return kept[key]


def _small_film(study: Study, perturbation: str, side_px: int) -> bytes:
    pixels = shrunk(study.radiograph.pixels, side_px)
    if perturbation != UNCHANGED:
        small = replace(
            study.radiograph, pixels=pixels, intensities=pixels.mean(2).astype(np.float32)
        )
        try:
            change = read_perturbation(perturbation)
            if change.kind in SEEN_WHEN_SMALL:
                pixels = perturbed(small, change).pixels
        except ImageError:  # of a record from elsewhere: nothing is drawn that it did not see
            return b""
    return jpeg_bytes(pixels, quality=80)
