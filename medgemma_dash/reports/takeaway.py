"""An explanation as files to take home. Everything is captured when the buttons are drawn, and
made when one is clicked: on another thread, where no session state is at hand.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Window
from medgemma_dash.figures import overlay_svg
from medgemma_dash.figures.overlay import joined_pictures
from medgemma_dash.figures.overlay_svg import side_by_side
from medgemma_dash.figures.palette import checked_scale
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.imaging import jpeg_bytes
from medgemma_dash.regions import ZoneTable, shown_laterality
from medgemma_dash.reports.caption import (
    captioned_drawing,
    captioned_picture,
    resized,
    width_in_pixels,
)
from medgemma_dash.reports.explanation import MOST_WORDS, explanation_report, why
from medgemma_dash.reports.html import html_page
from medgemma_dash.reports.pictures import (
    LONGEST_SIDE_PX,
    drawn_beside,
    films,
    map_picture,
    picture_notices,
)
from medgemma_dash.services.explaining.headline import Strength, strength_of
from medgemma_dash.services.explaining.prompt_words import prompt_words
from medgemma_dash.services.exporting import (
    explanation_json,
    numbers_csv,
    overlay_png,
    relevancy_npz,
)
from medgemma_dash.services.exporting.subject import film_names, subject, window_words


@dataclass(frozen=True, eq=False)
class Takeaway:
    """What was on screen: the explanation, the rows known besides it, and how it was drawn.

    zones, pixels: of the current image; earlier ones are drawn as they were read.
    fine: of a method that sees patches their relevance for every token, one array an image.
    pixels: makes uint8 (H, W, 3), the radiograph in the window that was on screen.
    uploaded: the current film came through the browser. shown_window: the one that was on screen.
    """

    explanation: Explanation
    answer: Answer
    zones: ZoneTable
    zones_note: str
    pixels: Callable[[], npt.NDArray[np.uint8]]
    display: MapDisplay
    relevancy: Float[np.ndarray, "tokens positions"]
    filled: Bool[np.ndarray, " tokens"]
    is_global: tuple[bool, ...]
    fine: tuple[Float[np.ndarray, "tokens patch_rows patch_cols"], ...] = ()
    uploaded: bool = False
    shown_window: Window | None = None

    @property
    def strength(self) -> Strength | None:
        """The map's strength beside the answer's other words, as far as they are known."""
        return strength_of(self.explanation, self.answer, self.relevancy, self.filled)

    @property
    def films(self) -> tuple[str, ...]:
        """What the images are called."""
        return film_names(self.answer, self.uploaded)

    def png(self, width_mm: float | None = None) -> bytes:
        """The maps as they were drawn, over the radiographs, with legend and caption; of several
        images side by side.

        width_mm: of all of it at 300 dots an inch; by default the radiographs keep every pixel.
        Raises ValueError for a width that no figure has.
        """
        shown = films(self.answer, self.pixels())
        if width_mm is not None:
            wide = width_in_pixels(width_mm) // len(shown)
            shown = [resized(pixels, wide) for pixels in shown]
        pictures = [
            map_picture(self.explanation, self.answer, pixels, self.display, image)
            for image, pixels in enumerate(shown)
        ]
        joined = captioned_picture(joined_pictures(pictures), self._caption(), width_mm)
        return overlay_png(joined, self.explanation, about=self._about())

    def svg(self, width_mm: float | None = None) -> str:
        """The same as a drawing that is sharp at any size."""
        shown = enumerate(films(self.answer, self.pixels()))
        drawing = side_by_side([self._drawing(image, pixels) for image, pixels in shown])
        return captioned_drawing(drawing, self._caption(), width_mm)

    def _about(self) -> tuple[tuple[str, str], ...]:
        window = "" if self.shown_window is None else window_words(self.shown_window)
        return subject(self.explanation, self.films, window)

    def _caption(self) -> list[str]:
        """Title, facts and how it was drawn; the colour bar has the scale's numbers."""
        display = self.display
        return [
            why(self.explanation),
            *(f"{name}: {value}" for name, value in self._about()),
            f"Drawn: {checked_scale(display.colour_scale, self.explanation.signed)} colours, "
            f"{display.mode}, opacity {display.opacity:.0%}, "
            f"hidden below {display.threshold:.0%} of the peak",
        ]

    def _drawing(self, image: int, pixels: npt.NDArray[np.uint8]) -> str:
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
                f"Method {explanation.method}.",
                f"Radiograph sha256 {explanation.provenance.image_sha256s[image]}.",
            ),
            notices=picture_notices(explanation, image),
            fine=explanation.fine_images[image] if explanation.fine_images else None,
            beside=drawn_beside(explanation, image, self.display),
            suffix=f"-{image + 1}" if named else "",
        )

    def csv(self) -> str:
        """Every number in long form."""
        words = prompt_words(self.explanation, self.answer, MOST_WORDS)
        return numbers_csv(self.explanation, self.zones, words, self.films)

    def json(self) -> str:
        """The explanation and everything needed to read it."""
        return explanation_json(
            self.explanation,
            self.answer,
            self.zones,
            films=self.films,
            shown_window=self.shown_window,
        )

    def npz(self) -> bytes:
        """The relevancy tensor, as far as it is known."""
        provenance = self.explanation.provenance
        return relevancy_npz(
            self.answer, self.relevancy, provenance, self.filled, self.fine, self.films
        )

    def archive(self) -> bytes:
        """relevancy.npz and explanation.json in one zip file."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("relevancy.npz", self.npz())
            archive.writestr("explanation.json", self.json())
        return buffer.getvalue()

    def report(self) -> str:
        """One HTML file that needs nothing but a browser."""
        return html_page(
            explanation_report(
                self.explanation,
                self.answer,
                self.is_global,
                zones=self.zones,
                zones_note=self.zones_note,
                pixels=self.pixels(),
                display=self.display,
                films=self.films,
                shown_window=self.shown_window,
            )
        )
