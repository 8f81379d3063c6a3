"""A record of a set of questions as a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from medgemma_dash.core.notices import notices
from medgemma_dash.core.record import Record
from medgemma_dash.figures import question_scores_figure
from medgemma_dash.reports.records.common import model_words, provenance_of, table_of
from medgemma_dash.reports.report import Column, Figure, Report, Table
from medgemma_dash.services.questions.reading import headline, interval_text, problem_lines

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 1000  # of a table in the page; the record has all
LIMITS = (
    "A figure is about these images and these wordings: a model that is right here may be wrong "
    "elsewhere, and a set from one hospital says little about another's. That accuracy stands "
    "above its blind floor says that the image was used, not that the finding was: a film's "
    "other signs may give an answer away. The floors are read from the margin, for nothing is "
    "generated without the image; a blank image is one that the model may never have seen. "
    "Answers in free text are read by a rule, and a rule misreads. Maps of one decision that are "
    "alike may be alike because a map hardly depends on the question."
)
_CONDITIONS = {"value": "With the image", "blank": "Blanked", "swapped": "Swapped"}
_TITLES = {"accuracy": "Accuracy", "decision_accuracy": "Decision accuracy", "auc": "AUC"}


def questions_report(record: Record) -> Report:
    """How good and how blind the answers are; flips, maps, every row; what it does not show."""
    summary, rows = record.tables["summary"], record.tables["rows"]
    figures = [_figure(summary, dark) for dark in (False, True)] if len(summary) else []
    asked = list(zip(rows["row"], rows["problem"], strict=True))
    return Report(
        title="How good are the answers, and how blind?",
        notices=notices(record.provenance.is_demo),
        pictures=(),
        question=f"{len(rows)} rows of a table of questions",
        answer=(),
        lines=(*headline(record), *problem_lines(asked)),
        figures=(
            Figure(
                "Figures beside their blind floors",
                "Over all rows: with the image, with it blanked, and with another row's of the "
                "other truth in its place.",
                *figures,
            ),
        )
        if figures
        else (),
        tables=tuple(_tables(record)),
        provenance=provenance_of(record),
        about=model_words(record.provenance),
        limits=LIMITS,
    )


def _tables(record: Record) -> Iterator[Table]:
    tables = record.tables
    part = [("by", Column("By", "name")), ("name", Column("Part", "name"))]
    yield table_of(
        _with_intervals(tables["summary"]),
        "Scores",
        "Each with its 95% interval over whole patients or images, beside its blind floors",
        [
            *part,
            ("measure", Column("Measure", "name")),
            *((name, Column(title, "name")) for name, title in _CONDITIONS.items()),
            ("rows", Column("Rows", "number")),
            ("clusters", Column("Patients or images", "number")),
        ],
    )
    yield table_of(
        tables["confusion"],
        "Confusion",
        "How often each truth was answered how",
        [
            *part,
            ("truth", Column("Truth", "name")),
            *((name, Column(name.title(), "number")) for name in ("yes", "no", "uncertain")),
        ],
    )
    strategy = [("phrasing", Column("Phrasing", "name")), ("strategy", Column("Strategy", "name"))]
    yield table_of(
        tables["flips"],
        "Flips",
        "Share of groups (one image, one baseline question) whose answers are not all equal",
        [
            *strategy,
            ("groups", Column("Groups", "number")),
            ("flipped", Column("Flipped", "number")),
            ("low", Column("From", "number")),
            ("high", Column("To", "number")),
            ("consistency", Column("Consistency", "number")),
            ("yes_to_no", Column("Yes to no", "number")),
            ("no_to_yes", Column("No to yes", "number")),
            ("other", Column("Other", "number")),
            ("pairs", Column("Pairs", "number")),
            ("margin_change", Column("|Change of margin|", "number")),
        ],
    )
    if len(tables["map_changes"]):
        yield table_of(
            tables["map_changes"],
            "Maps",
            "Jensen-Shannon divergence, in nats, of a wording's map from its baseline wording's",
            [
                ("phrasing", Column("Phrasing", "name")),
                ("answer", Column("Answer", "name")),
                ("pairs", Column("Pairs", "number")),
                ("js_divergence", Column("Divergence", "number")),
                ("low", Column("From", "number")),
                ("high", Column("To", "number")),
            ],
        )
    shown = tables["rows"].head(MOST_ROWS)
    more = len(tables["rows"]) - len(shown)
    yield table_of(
        shown,
        "Rows",
        f"The first {MOST_ROWS}; {more} more are in the record" if more else "Every row",
        [
            ("row", Column("Row", "number")),
            ("asked", Column("Question", "text")),
            ("answer", Column("Answer", "text")),
            ("parsed", Column("Read as", "name")),
            ("truth", Column("Truth", "name")),
            ("margin", Column("Margin", "number")),
            ("blank_margin", Column("Blanked", "number")),
            ("swapped_margin", Column("Swapped", "number")),
            ("problem", Column("Problem", "text")),
        ],
    )


def _with_intervals(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary with each figure and its interval in one text."""
    lines = [line for _, line in summary.iterrows()]
    texts = {
        name: [interval_text(line, "" if name == "value" else name) for line in lines]
        for name in _CONDITIONS
    }
    measures = summary["measure"].str.replace("_", " ")
    return summary.assign(**texts, measure=measures)


def _figure(summary: pd.DataFrame, dark: bool) -> str:
    every = summary[summary["by"] == "all"].set_index("measure")
    scores = []
    for measure, title in _TITLES.items():
        line = every.loc[measure]
        for condition, words in (("", ""), ("blank", ", blanked"), ("swapped", ", swapped")):
            start = f"{condition}_" if condition else ""
            ends = float(line[f"{start}low"]), float(line[f"{start}high"])
            scores.append((title + words, float(line[condition or "value"]), *ends))
    known = [score for score in scores if score[1] == score[1]]
    made: str = question_scores_figure(known, dark).to_json()
    return made
