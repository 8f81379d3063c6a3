"""The report that the Explain page lets one take home."""

from pathlib import Path

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.html import html_page
from medgemma_dash.services.exporting.files import write_together


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
