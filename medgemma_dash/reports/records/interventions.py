"""An interventions record as a report."""

from collections.abc import Iterator

import numpy as np

from medgemma_dash.core.notices import notices
from medgemma_dash.core.record import Record
from medgemma_dash.figures import logit_changes_figure, map_grid_figure
from medgemma_dash.reports.records.common import model_words, provenance_of, table_of
from medgemma_dash.reports.report import Column, Figure, Report, Run, Table
from medgemma_dash.services.interventions.reading import (
    MARKED_CHANGE,
    WordChange,
    band,
    chosen_words,
    lines,
    selection,
    word_changes,
)

LIMITS = (
    "What a removal does is about the removal too: a picture with patches replaced is one that the "
    "model may never have seen. The words are held as they stand, so that a word's change is given "
    "the words before it, which may themselves carry what was removed. That a word does not change "
    "does not say that the patches play no part in it: what is shown twice has to be removed in "
    "both places. A logit may fall without the word losing its place, since all logits may fall "
    "together: see the probability beside it. The answer asked anew is one answer, by greedy "
    "choice; a small change at its first word may make a different sentence."
)


def interventions_report(record: Record) -> Report:
    """What was removed, what it does to every word and to the answer, and what stands beside it."""
    asked, words = record.plan["asked"], word_changes(record)
    return Report(
        title="What happens without these patches?"
        if record.plan["how"] == "remove"
        else "What happens with these patches alone?",
        notices=notices(record.provenance.is_demo),
        pictures=(),
        question=str(asked["prompt"]),
        answer=tuple(Run(word.text, "marked" if word.stands_out else "said") for word in words),
        lines=(
            *lines(record),
            _marks(record),
        ),
        figures=tuple(_figures(record, words)),
        tables=tuple(_tables(record)),
        provenance=provenance_of(record),
        about=model_words(record.provenance),
        limits=LIMITS,
    )


def _marks(record: Record) -> str:
    if record.plan["how"] == "keep":
        return (
            f"Marked are words that need the image ({MARKED_CHANGE:g} or more of their logit), and "
            "that none of the other places keeps as well."
        )
    return (
        f"Marked are words whose logit changes by {MARKED_CHANGE:g} or more, and further than in "
        "any of the other places."
    )


def _figures(record: Record, words: tuple[WordChange, ...]) -> Iterator[Figure]:
    if words:
        yield Figure(
            "Change of each word's logit",
            "Summed over the word's tokens. The band behind a bar is what the same shape gives in "
            "other places of the picture, the dotted line its mean.",
            *(
                logit_changes_figure(
                    [word.text.strip() for word in words],
                    [word.change for word in words],
                    [band(word) for word in words],
                    dark,
                    chosen=chosen_words(record),
                ).to_json()
                for dark in (False, True)
            ),
        )
    chosen, verb = selection(record).astype(np.float32), record.plan["how"]
    shown = {"removed" if verb == "remove" else "kept": chosen, **record.maps}
    yield Figure(
        "Selection and map",
        "The patches that were chosen, in a colour that says no more, and the raw map that they "
        "are scored against. The record holds no radiograph to lay them over.",
        *(
            map_grid_figure(
                list(shown.values()),
                list(shown),
                signed=bool(min(one.min() for one in shown.values()) < 0),
                dark=dark,
            ).to_json()
            for dark in (False, True)
        ),
    )


def _tables(record: Record) -> Iterator[Table]:
    yield table_of(
        record.tables["answers"],
        "Answers",
        "Greedy; the margin is that of yes against no",
        [
            ("which", Column("Which", "name")),
            ("text", Column("Text", "text")),
            ("margin", Column("Margin", "number")),
        ],
    )
    yield table_of(
        record.tables["words"],
        "Tokens",
        "Teacher-forced on the answer as it stands; elsewhere is the mean over the other places",
        [
            ("text", Column("Token", "text")),
            ("logit", Column("Logit", "number")),
            ("logit_after", Column("After", "number")),
            ("logit_elsewhere", Column("Elsewhere", "number")),
            ("logit_without", Column("Without the image", "number")),
            ("probability", Column("Probability", "number")),
            ("probability_after", Column("After", "number")),
            ("probability_elsewhere", Column("Elsewhere", "number")),
            ("first_after", Column("Most probable after", "text")),
        ],
    )
    yield table_of(
        record.tables["box"],
        "The selection against the map",
        "Beside a uniform map, and beside the same shape in every other place",
        [
            ("measure", Column("Measure", "name")),
            ("value", Column("Value", "share")),
            ("uniform", Column("Uniform map", "share")),
            ("displaced", Column("Elsewhere, mean", "share")),
            ("low", Column("Least", "share")),
            ("high", Column("Most", "share")),
            ("below", Column("Places that score lower", "share")),
        ],
        note=str(record.tables["box"]["problem"].iloc[0]),
    )
