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
from medgemma_dash.figures import (
    WordRelevance,
    layer_figure,
    overlay_picture,
    overlay_svg,
    prompt_words_figure,
)
from medgemma_dash.figures.style import MapDisplay
from medgemma_dash.imaging import jpeg_bytes, shrunk
from medgemma_dash.regions import ZoneTable
from medgemma_dash.services.explaining.prompt_words import PromptWord, prompt_words
from medgemma_dash.services.exporting import (
    ReportFigure,
    explanation_json,
    notices,
    numbers_csv,
    overlay_png,
    relevancy_npz,
    report_html,
)

MOST_WORDS = 50
# Sharp on a page and on a screen; a film's own pixels would make a report of 60 MB.
LONGEST_SIDE_PX = 1600


@dataclass(frozen=True, eq=False)
class Takeaway:
    """What was on screen: the explanation, the rows known besides it, and how it was drawn.

    pixels: makes uint8 (H, W, 3), the radiograph in the window that was on screen.
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

    def png(self) -> bytes:
        """The map as it was drawn, over the radiograph in full size, with its legend."""
        return self._png(self.pixels())

    def svg(self) -> str:
        """The same as a drawing that is sharp at any size."""
        radiograph, provenance = self.answer.radiograph, self.explanation.provenance
        return overlay_svg(
            jpeg_bytes(self.pixels(), longest_side=LONGEST_SIDE_PX),
            radiograph.width,
            radiograph.height,
            self.explanation.image,
            mode=self.display.mode,
            opacity=self.display.opacity,
            threshold=self.display.threshold,
            colour_scale=self.display.colour_scale,
            signed=self.explanation.signed,
            laterality=str(radiograph.laterality),
            title=f"Why “{self.explanation.target.text.strip()}”?",
            facts=(
                f"Method {self.explanation.method}.",
                f"Radiograph sha256 {provenance.image_sha256}.",
            ),
            notices=notices(provenance.is_demo)[1:],
            fine=self.explanation.fine,
        )

    def csv(self) -> str:
        """Every number in long form."""
        return numbers_csv(self.explanation, self.zones, self._words())

    def archive(self) -> bytes:
        """relevancy.npz and explanation.json in one zip file."""
        provenance = self.explanation.provenance
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(
                "relevancy.npz",
                relevancy_npz(self.answer, self.relevancy, provenance, self.filled, self.fine),
            )
            archive.writestr(
                "explanation.json", explanation_json(self.explanation, self.answer, self.zones)
            )
        return buffer.getvalue()

    def report(self) -> str:
        """One HTML file that needs nothing but a browser."""
        words = [WordRelevance(word.text, word.value, word.part) for word in self._words()[:5]]
        layers = self.explanation.layers
        return report_html(
            self.explanation,
            self.answer,
            picture_png=self._png(shrunk(self.pixels(), LONGEST_SIDE_PX)),
            figures=(
                ReportFigure(
                    "Attention to the image by layer",
                    "Mean over heads, at the position that predicts the target.",
                    layer_figure(layers, self.is_global, dark=False).to_json(),
                    layer_figure(layers, self.is_global, dark=True).to_json(),
                ),
                ReportFigure(
                    "Prompt words that mattered",
                    "Raw relevance, summed over each word's tokens.",
                    prompt_words_figure(words, dark=False).to_json(),
                    prompt_words_figure(words, dark=True).to_json(),
                ),
            ),
            zones=self.zones,
            zones_note=self.zones_note,
            global_layers=[index for index, one in enumerate(self.is_global) if one],
            words=self._words(),
        )

    def _words(self) -> tuple[PromptWord, ...]:
        return prompt_words(self.explanation, self.answer, MOST_WORDS)

    def _png(self, pixels: npt.NDArray[np.uint8]) -> bytes:
        picture = overlay_picture(
            pixels,
            self.explanation.image,
            mode=self.display.mode,
            opacity=self.display.opacity,
            threshold=self.display.threshold,
            colour_scale=self.display.colour_scale,
            signed=self.explanation.signed,
            laterality=str(self.answer.radiograph.laterality),
            notices=notices(self.explanation.provenance.is_demo)[1:],
            fine=self.explanation.fine,
        )
        return overlay_png(picture, self.explanation)
