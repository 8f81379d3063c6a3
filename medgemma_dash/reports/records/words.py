"""A words record as a report."""

from __future__ import annotations

from collections.abc import Iterator

from medgemma_dash.core.notices import notices
from medgemma_dash.core.record import Record
from medgemma_dash.figures import map_grid_figure
from medgemma_dash.metrics.map_quality import BORDER, CLEAR_PEAK, DIFFUSE, FOCUSED, INSIDE_BODY
from medgemma_dash.reports.records.common import model_words, provenance_of, table_of
from medgemma_dash.reports.report import Column, Figure, Report, Run
from medgemma_dash.services.words.plan import CHAIN, FALLBACKS
from medgemma_dash.services.words.reading import word_lines

LIMITS = (
    "A map says what the model leaned on when a word was due, not that the word is right; a map "
    "with good numbers of quality can be of a wrong word. For a word of the prompt it says what "
    "made the model expect a word that a person wrote, which it was not trained to do. A forced "
    "word stands where the model would not have put it: see its log-probability first, since of a "
    "word that was never likely the map tells little. Maps of different methods have different "
    "units, and where a chain fell back on activation norm the map is of no word at all."
)
NAMES = [
    ("word", Column("Word", "name")),
    ("place", Column("Place", "name")),
    ("occurrence", Column("Occurrence", "number")),
]


def words_report(record: Record) -> Report:
    """Where the model looked for each word: sentences, maps, quality, what failed and why."""
    table, asked = record.tables["words"], record.plan["asked"]
    return Report(
        title="Where does the model look for these words?",
        notices=notices(record.provenance.is_demo),
        pictures=(),
        question=str(asked["prompt"]),
        answer=(Run(str(asked["answer"])),),
        lines=(*word_lines(record), *_how(record)),
        figures=tuple(_figures(record)),
        tables=(
            table_of(
                table,
                "Words",
                "Where each stands, what made its map, and its tokens' log-probability in nats",
                [
                    *NAMES,
                    ("tokens", Column("Tokens", "name")),
                    ("image", Column("Image", "number")),
                    ("method", Column("Method", "name")),
                    ("log_probability", Column("Log-probability", "number")),
                ],
            ),
            table_of(
                table,
                "Quality",
                "Of the raw maps",
                [
                    *NAMES[:2],
                    ("inside_body", Column("Inside the body", "share")),
                    ("border", Column("Border", "share")),
                    ("left", Column("Image's left", "share")),
                    ("right", Column("Image's right", "share")),
                    ("apical", Column("Apical", "share")),
                    ("basal", Column("Basal", "share")),
                    ("entropy", Column("Entropy", "number")),
                    ("peak_ratio", Column("Peak ratio", "number")),
                ],
                note=f"Inside the body from {INSIDE_BODY[0]:g} good, from {INSIDE_BODY[1]:g} "
                f"acceptable. Border up to {BORDER[0]:g} good, up to {BORDER[1]:g} acceptable. "
                f"Entropy below {FOCUSED:g} nats focused, above {DIFFUSE:g} diffuse. Peak ratio "
                f"above {CLEAR_PEAK:g} clear.",
            ),
            table_of(
                record.tables["attempts"],
                "Methods that were tried",
                "In their order, and why each that made no map made none",
                [
                    *NAMES,
                    ("method", Column("Method", "name")),
                    ("options", Column("Options", "text")),
                    ("reason", Column("Why no map", "text")),
                ],
            ),
        ),
        provenance=provenance_of(record),
        about=model_words(record.provenance),
        limits=LIMITS,
    )


def _how(record: Record) -> Iterator[str]:
    if record.plan["method"] == CHAIN:
        names = ", ".join(one.name for one in FALLBACKS)
        yield f"Tried one after the other, until one gave a map: {names}."
    if record.plan["asked"]["forced"]:
        yield "The answer was given, not generated."


def _figures(record: Record) -> Iterator[Figure]:
    shown = record.tables["words"][record.tables["words"]["map"] != ""]
    if not len(shown):
        return
    titles = [f"{row.word} · {row.place} · {row.method}" for row in shown.itertuples()]
    maps = [record.maps[name] for name in shown["map"]]
    made = [
        map_grid_figure(maps, titles, signed=bool(shown["signed"].any()), dark=dark).to_json()
        for dark in (False, True)
    ]
    yield Figure(
        "Maps",
        "The raw maps cell by cell on one scale, the share of each map's relevance. The record "
        "holds no radiograph to lay them over.",
        *made,
    )
