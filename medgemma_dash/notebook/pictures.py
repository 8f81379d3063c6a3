"""The map as a figure for a paper, as the Explain page lets one take it home."""

from pathlib import Path

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.reports.map_figure import MapFigure
from medgemma_dash.services.exporting.files import write_together
from medgemma_dash.services.exporting.subject import film_names


def picture(
    answer: Answer,
    explanation: Explanation,
    out: str | Path,
    *,
    width_mm: float | None = None,
) -> None:
    """Write the map over its radiograph, legend and caption below, as .png or .svg.

    out: a file whose name ends in one of the two. width_mm: of all of it, 40 to 400, a PNG then at
    300 dots an inch; by default the radiograph keeps every pixel.
    Raises ResultFileError where it cannot be written, and ValueError for another kind or width,
    and for an explanation of another answer.
    """
    if explanation.provenance.token_ids != tuple(answer.input_ids.tolist()):
        raise ValueError("This explanation belongs to another answer. Give the one it explains.")
    path = Path(out)
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise ValueError(
            f"A picture is a .png or an .svg, not {path.suffix or 'without an ending'}."
        )
    figure = MapFigure(explanation, answer, answer.radiograph.pixels, films=film_names(answer))
    made = figure.png(width_mm) if kind == ".png" else figure.svg(width_mm).encode()
    try:
        write_together(path.parent, {path.name: made})
    except OSError as error:
        raise ResultFileError(
            f"The picture cannot be written to {path}: {error.strerror or error}. Give the "
            "path of a file in a folder that you may write into."
        ) from error
