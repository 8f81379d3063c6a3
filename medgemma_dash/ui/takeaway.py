"""An explanation as files to take home. Everything is captured when the buttons are drawn, and
made when one is clicked: on another thread, where no session state is at hand.
"""

from __future__ import annotations

import io
import zipfile
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
    prompt_words_figure,
)
from medgemma_dash.regions import ZoneTable
from medgemma_dash.services.exporting import (
    ReportFigure,
    explanation_json,
    notices,
    numbers_csv,
    overlay_png,
    relevancy_npz,
    report_html,
)
from medgemma_dash.services.prompt_words import PromptWord, prompt_words
from medgemma_dash.ui.map_display import MapDisplay

MOST_WORDS = 50


@dataclass(frozen=True, eq=False)
class Takeaway:
    """What was on screen: the explanation, the rows known besides it, and how it was drawn.

    pixels: uint8 (H, W, 3), the radiograph in the window on screen.
    """

    explanation: Explanation
    answer: Answer
    zones: ZoneTable
    zones_note: str
    pixels: npt.NDArray[np.uint8]
    display: MapDisplay
    relevancy: Float[np.ndarray, "tokens positions"]
    filled: Bool[np.ndarray, " tokens"]
    is_global: tuple[bool, ...]

    def png(self) -> bytes:
        """The map as it was drawn, over the radiograph, with its legend."""
        return overlay_png(self._picture(), self.explanation)

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
                relevancy_npz(self.answer, self.relevancy, provenance, self.filled),
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
            picture_png=self.png(),
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

    def _picture(self) -> npt.NDArray[np.uint8]:
        return overlay_picture(
            self.pixels,
            self.explanation.image,
            mode=self.display.mode,
            opacity=self.display.opacity,
            threshold=self.display.threshold,
            colour_scale=self.display.colour_scale,
            signed=self.explanation.signed,
            laterality=str(self.answer.radiograph.laterality),
            notices=notices(self.explanation.provenance.is_demo)[1:],
        )
