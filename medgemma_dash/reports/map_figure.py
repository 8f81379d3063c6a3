"""The maps over their radiographs as a figure for a paper, with all that it is of written below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.paper import text_in_pixels, text_in_units, width_in_pixels
from medgemma_dash.core.radiograph import Window
from medgemma_dash.figures import overlay_svg
from medgemma_dash.figures.overlay import joined_pictures
from medgemma_dash.figures.overlay_svg import TEXT_SIZE, WIDTH, side_by_side
from medgemma_dash.figures.palette import checked_scale
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.regions import shown_laterality
from medgemma_dash.reports.caption import captioned_drawing, captioned_picture, resized
from medgemma_dash.reports.explanation import why
from medgemma_dash.reports.pictures import (
    DEFAULT_DISPLAY,
    LONGEST_SIDE_PX,
    drawn_beside,
    films,
    map_picture,
    picture_notices,
)
from medgemma_dash.services.exporting import overlay_png
from medgemma_dash.services.exporting.subject import method_title, subject, window_words


@dataclass(frozen=True, eq=False)
class MapFigure:
    """An explanation's maps, as they are to be drawn.

    pixels: of the current radiograph, uint8 (H, W, 3), in `shown_window` where one was chosen.
    films: what the images are called, of `film_names`.
    """

    explanation: Explanation
    answer: Answer
    pixels: npt.NDArray[np.uint8]
    display: MapDisplay = DEFAULT_DISPLAY
    films: tuple[str, ...] = ()
    shown_window: Window | None = None

    def png(self, width_mm: float | None = None) -> bytes:
        """With legend and caption; of several images side by side.

        width_mm: of all of it at 300 dots an inch, its text then 7 points high; by default the
        radiographs keep every pixel. Raises ValueError for a width that no figure has.
        """
        shown = films(self.answer, self.pixels)
        if width_mm is not None:
            wide = width_in_pixels(width_mm) // len(shown)
            shown = [resized(pixels, wide) for pixels in shown]
        text_px = text_in_pixels(width_mm)
        pictures = [
            map_picture(self.explanation, self.answer, pixels, self.display, image, text_px)
            for image, pixels in enumerate(shown)
        ]
        joined = captioned_picture(joined_pictures(pictures), self._caption(), width_mm)
        return overlay_png(joined, self.explanation, about=self._about())

    def svg(self, width_mm: float | None = None) -> str:
        """The same as a drawing that is sharp at any size, whose text stays text."""
        shown = films(self.answer, self.pixels)
        size = float(TEXT_SIZE)
        if width_mm is not None:
            size = text_in_units(width_mm, WIDTH * len(shown))
        drawings = [self._drawing(image, pixels, size) for image, pixels in enumerate(shown)]
        return captioned_drawing(side_by_side(drawings), self._caption(), width_mm)

    def _about(self) -> tuple[tuple[str, str], ...]:
        window = "" if self.shown_window is None else window_words(self.shown_window)
        return subject(self.explanation, self.films, window)

    def _caption(self) -> list[str]:
        """Title, facts and how it was drawn; the colour bar has the scale's numbers."""
        display = self.display
        one = (
            f"; one scale for all words, to the strongest word's {display.scale_peak:.3g}"
            if display.scale_peak
            else ""
        )
        return [
            why(self.explanation),
            *(f"{name}: {value}" for name, value in self._about()),
            f"Drawn: {checked_scale(display.colour_scale, self.explanation.signed)} colours, "
            f"{display.mode}, opacity {display.opacity:.0%}, "
            f"hidden below {display.threshold:.0%} of the {'scale' if one else 'peak'}{one}",
        ]

    def _drawing(self, image: int, pixels: npt.NDArray[np.uint8], text_size: float) -> str:
        explanation, radiograph = self.explanation, self.answer.images[image].radiograph
        named = explanation.image_names[image]
        return overlay_svg(
            jpeg_bytes(pixels, longest_side=LONGEST_SIDE_PX),
            radiograph.width,
            radiograph.height,
            explanation.images[image],
            mode=self.display.mode,
            opacity=self.display.opacity,
            threshold=self.display.threshold,
            colour_scale=self.display.colour_scale,
            signed=explanation.signed,
            laterality=str(shown_laterality(radiograph)),
            title=f"{why(explanation)}{f' {named.capitalize()}' if named else ''}",
            facts=(
                f"Method {method_title(explanation.method)}.",
                f"Radiograph sha256 {explanation.provenance.image_sha256s[image]}.",
            ),
            notices=picture_notices(explanation, image),
            fine=explanation.fine_images[image] if explanation.fine_images else None,
            beside=drawn_beside(explanation, image, self.display),
            suffix=f"-{image + 1}" if named else "",
            text_size=text_size,
        )
