"""Every number of an explanation as one tidy CSV table."""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.model_name import public_model_name
from medgemma_dash.core.notices import notices
from medgemma_dash.core.words import WordRelevance
from medgemma_dash.regions import SCHEME_TITLES
from medgemma_dash.services.exporting.subject import target_words

if TYPE_CHECKING:
    from medgemma_dash.regions import ZoneTable

COLUMNS = ("table", "item", "row", "column", "measure", "value")
# What the numbers are of: the same in every line, so that files can be laid under each other.
SUBJECT_COLUMNS = (
    "film",
    "image_sha256",
    "question",
    "word",
    "method",
    "model",
    "model_revision",
)

# A spreadsheet reads a cell that begins with one of these as a formula (OWASP, CSV injection;
# the last four are the full-width forms that East Asian locales accept).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

_CURRENT = "current"

Line = tuple[str, str, int | None, int | None, str, float | None]


def numbers_csv(
    explanation: Explanation,
    zones: "ZoneTable | None" = None,
    words: Sequence[WordRelevance] = (),
    films: Sequence[str] = (),
) -> str:
    """Zones, cells, layers and prompt words in long form, one value a line.

    Columns: table, item, row, column, measure, value; then what they are of: film,
    image_sha256, question, word, method, model, model_revision. Rows, columns and layers count
    from 0. films: of `film_names`; left empty where not given.
    Of several images the cells' item says which they are of; zones are of the current one.
    Values that are not finite are left empty. Texts cannot become spreadsheet formulas.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS + SUBJECT_COLUMNS)
    about = _subjects(explanation, films)
    for notice in notices(explanation.provenance.is_demo):
        writer.writerow(("notice", notice, "", "", "", "", *about[""]))
    for table, item, row, column, measure, value in _lines(explanation, zones, words):
        writer.writerow(
            (
                table,
                safe_text(item),
                "" if row is None else row,
                "" if column is None else column,
                measure,
                # str, not repr: the shortest decimals that give the same float32 again.
                "" if value is None or not math.isfinite(value) else str(value),
                *about[item if table == "cells" else _CURRENT if table == "zones" else ""],
            )
        )
    return buffer.getvalue()


def safe_text(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would take it for a formula."""
    # Spreadsheets skip leading white space before they look.
    starts = text.startswith(FORMULA_STARTS) or text.lstrip().startswith(FORMULA_STARTS)
    return f"'{text}" if starts else text


def _subjects(explanation: Explanation, films: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The last columns: by the cells' item, of the current image, and "" of all images."""
    provenance = explanation.provenance
    digests = provenance.image_sha256s
    titles = tuple(films) or ("",) * len(digests)
    rest = (
        provenance.prompt,
        target_words(explanation),
        explanation.method,
        public_model_name(provenance.model_name),
        provenance.model_revision,
    )

    def line(film: str, digest: str) -> tuple[str, ...]:
        return tuple(map(safe_text, (film, digest, *rest)))

    each = zip(explanation.image_names, titles, digests, strict=True)
    found = {name: line(film, digest) for name, film, digest in each}
    found[_CURRENT] = line(titles[-1], digests[-1])
    found[""] = line("; ".join(filter(None, titles)), " ".join(digests))
    return found


def _lines(
    explanation: Explanation, zones: "ZoneTable | None", words: Sequence[WordRelevance]
) -> Iterator[Line]:
    target = explanation.target
    yield "target", target.text, None, None, explanation.method, None
    if zones is not None:
        for zone in zones.rows:
            yield "zones", zone.name, None, None, "share", zone.share
            yield "zones", zone.name, None, None, "area", zone.area
            yield "zones", zone.name, None, None, "mean", zone.mean
            yield "zones", zone.name, None, None, "peak", zone.peak
        yield "zones", "scheme", None, None, SCHEME_TITLES[zones.scheme], None
        yield "zones", "outside every zone", None, None, "share", zones.outside_share
        yield "zones", "right / left", None, None, "ratio", zones.right_left_ratio
    for name, image in zip(explanation.image_names, explanation.images, strict=True):
        for row, line in enumerate(image):
            for column, value in enumerate(line):
                yield "cells", name, row, column, "relevance", value
    for layer, value in enumerate(explanation.layers):
        yield "layers", str(layer), None, None, "image attention share", value
    for word in words:
        yield "words", word.text, None, None, f"relevance, {word.part}", word.value
