"""The maps of an explanation over their radiographs: one picture for each image."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from jaxtyping import UInt8

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.notices import notices
from medgemma_dash.figures import MAGNITUDE_SCALES, overlay_picture
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.imaging import shrunk
from medgemma_dash.regions import shown_laterality
from medgemma_dash.reports.report import Picture
from medgemma_dash.services.explaining.word_shares import shares_of_images
from medgemma_dash.services.exporting import overlay_png
from medgemma_dash.services.exporting.names import DIGEST_CHARACTERS

DEFAULT_DISPLAY = MapDisplay("smooth", 0.75, 0.0, MAGNITUDE_SCALES[0])
# Sharp on a page and on a screen; a film's own pixels would make a report of 60 MB.
LONGEST_SIDE_PX = 1600


def films(
    answer: Answer, current: UInt8[np.ndarray, "height width 3"]
) -> list[UInt8[np.ndarray, "_ _ 3"]]:
    """Each radiograph's pixels, in order; the current one's as they are given."""
    return [*(image.radiograph.pixels for image in answer.images[:-1]), current]


def map_picture(
    explanation: Explanation,
    answer: Answer,
    pixels: UInt8[np.ndarray, "height width 3"],
    display: MapDisplay = DEFAULT_DISPLAY,
    image: int = -1,
    text_px: int | None = None,
) -> UInt8[np.ndarray, "taller wider 3"]:
    """An image's map over its radiograph, with its legend and notices; image: its number.

    text_px: see `overlay_picture`.
    """
    return overlay_picture(
        pixels,
        explanation.images[image],
        mode=display.mode,
        opacity=display.opacity,
        threshold=display.threshold,
        colour_scale=display.colour_scale,
        signed=explanation.signed,
        laterality=str(shown_laterality(answer.images[image].radiograph)),
        notices=picture_notices(explanation, image),
        fine=explanation.fine_images[image] if explanation.fine_images else None,
        beside=drawn_beside(explanation, image, display),
        text_px=text_px,
    )


def picture_notices(explanation: Explanation, image: int) -> tuple[str, ...]:
    """What a picture of an image says besides that it is for research, which it does on its own."""
    named = explanation.image_names[image]
    digest = explanation.provenance.image_sha256s[image][:DIGEST_CHARACTERS]
    own = (f"{named.capitalize()}, sha256 {digest}; one scale for all.",) if named else ()
    return (*own, *notices(explanation.provenance.is_demo)[1:])


def drawn_beside(
    explanation: Explanation, image: int, display: MapDisplay
) -> list[npt.NDArray[np.float32]]:
    """The other images' maps, as they are drawn: they share this one's scale; and what else it
    is to reach to.
    """
    maps = list(explanation.fine_images or explanation.images)
    del maps[image]
    if display.scale_peak > 0:
        maps.append(np.full((1, 1), display.scale_peak, np.float32))
    return maps


def report_pictures(
    explanation: Explanation,
    answer: Answer,
    current: UInt8[np.ndarray, "height width 3"],
    display: MapDisplay,
) -> Iterator[Picture]:
    """Every image with its map, as a report shows it; current: the current radiograph's pixels."""
    shares = shares_of_images(explanation)
    for image, pixels in enumerate(films(answer, current)):
        made = map_picture(explanation, answer, shrunk(pixels, LONGEST_SIDE_PX), display, image)
        named = explanation.image_names[image]
        digest = explanation.provenance.image_sha256s[image][:DIGEST_CHARACTERS]
        parts = [named.capitalize(), f"sha256 {digest}"]
        if shares is not None:
            parts.append(f"{shares[image]:.1%} of the relevance")
        yield Picture(
            overlay_png(made, explanation, image),
            _picture_words(explanation, image),
            " · ".join(parts) if named else "",
        )


def _picture_words(explanation: Explanation, image: int) -> str:
    values, named = explanation.images[image], explanation.image_names[image]
    rows, cols = values.shape
    row, col = divmod(int(values.argmax()), cols)
    return (
        f"Radiograph{f', {named},' if named else ''} with the relevance map over it; the highest "
        f"of {rows} by {cols} cells is in row {row + 1}, column {col + 1}, counted from the upper "
        "left."
    )
