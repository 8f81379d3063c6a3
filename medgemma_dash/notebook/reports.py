"""The report that the Explain page lets one take home."""

from pathlib import Path

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.regions import DEFAULT_SCHEME, zone_map, zone_table
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.html import html_page
from medgemma_dash.services.explaining.headline import headline as judged
from medgemma_dash.services.explaining.headline import strength_of
from medgemma_dash.services.exporting.files import write_together


def headline(
    explanation: Explanation, answer: Answer | None = None, every: Relevance | None = None
) -> str:
    """What the map says, in one or two sentences: the one that the Explain page begins with.

    answer, every: the answer and `every_token` of the same method; with them it also says whether
    the map is weak beside those of the answer's other words.
    Raises ValueError without a radiograph at hand.
    """
    if explanation.radiograph is None:
        raise ValueError("This explanation has no radiograph at hand; its zones are not known.")
    rows, cols = explanation.image.shape
    zones = zone_map(explanation.radiograph, (rows, cols), DEFAULT_SCHEME)
    strength = None
    if answer is not None and every is not None:
        filled = np.ones(len(every.rows), np.bool_)
        strength = strength_of(explanation, answer, every.rows, filled)
    return judged(explanation, zone_table(explanation.image, zones), strength).text


def report(
    model: VisionLanguageModel,
    answer: Answer,
    explanation: Explanation,
    out: str | Path | None = None,
) -> str:
    """One HTML file that needs nothing but a browser; written to `out` where given.

    Returns it as text. Raises ResultFileError where it cannot be written.
    """
    is_global = [layer.is_global for layer in model.layout.layers]
    page = html_page(explanation_report(explanation, answer, is_global))
    if out is not None:
        path = Path(out)
        try:
            write_together(path.parent, {path.name: page.encode()})
        except OSError as error:
            raise ResultFileError(
                f"The report cannot be written to {path}: {error.strerror or error}. Give the "
                "path of a file in a folder that you may write into."
            ) from error
    return page
