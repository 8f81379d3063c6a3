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
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.regions import ZoneTable
from medgemma_dash.reports.explanation import MOST_WORDS, explanation_report
from medgemma_dash.reports.html import html_page
from medgemma_dash.reports.map_figure import MapFigure
from medgemma_dash.services.explaining.headline import Strength, strength_of
from medgemma_dash.services.explaining.prompt_words import prompt_words
from medgemma_dash.services.exporting import explanation_json, numbers_csv, relevancy_npz
from medgemma_dash.services.exporting.subject import film_names


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
        """The maps as they were drawn; see `MapFigure.png`."""
        return self._figure().png(width_mm)

    def svg(self, width_mm: float | None = None) -> str:
        """The same as a drawing; see `MapFigure.svg`."""
        return self._figure().svg(width_mm)

    def _figure(self) -> MapFigure:
        return MapFigure(
            self.explanation,
            self.answer,
            self.pixels(),
            self.display,
            self.films,
            self.shown_window,
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
