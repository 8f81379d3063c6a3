"""What a record of questions says, in sentences, and the rows behind a figure; without a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from medgemma_dash.core.record import Record

if TYPE_CHECKING:
    import pandas as pd

PROBLEMS_SHOWN = 20


def rows_behind(record: Record, by: str, name: str, measure: str = "accuracy") -> pd.DataFrame:
    """The rows that a line of the table "summary" or "confusion" is made of.

    Those that were answered and whose truth is known; of sensitivity and specificity those of
    their truth.
    """
    rows = record.tables["rows"]
    known = rows[(rows["parsed"] != "") & (rows["truth"] != "")]
    if by != "all":
        known = known[known[by] == name]
    truth = {"sensitivity": "yes", "specificity": "no"}.get(measure)
    return known if truth is None else known[known["truth"] == truth]


def headline(record: Record) -> list[str]:
    """What a person has to know first: how many were answered, how well, and how blindly."""
    rows, summary = record.tables["rows"], record.tables["summary"]
    answered = int((rows["parsed"] != "").sum())
    lines = [f"{answered} of {len(rows)} rows answered, {_of_what(rows)}."]
    every = summary[summary["by"] == "all"].set_index("measure")
    for measure, name in (("accuracy", "Accuracy"), ("auc", "AUC of the margin")):
        if measure in every.index:
            line = every.loc[measure]
            lines.append(
                f"{name} {interval_text(line, '')}; with the image blanked "
                f"{interval_text(line, 'blank')}, swapped with one of the other truth "
                f"{interval_text(line, 'swapped')}."
            )
    flips = record.tables["flips"]
    for _, line in flips[flips["strategy"] == ""].iterrows():
        lines.append(
            f"Over {line['phrasing']} phrasings {line['flipped']:.0%} of {line['groups']} groups "
            f"flip (95% interval {_share(line['low'])} to {_share(line['high'])}): "
            f"{line['yes_to_no']} yes to no, {line['no_to_yes']} no to yes, of {line['pairs']}."
        )
    for _, line in record.tables["map_changes"].iterrows():
        lines.append(
            f"Over {line['phrasing']} phrasings maps are {line['js_divergence']:.3f} nats apart "
            f"where the answer {line['answer']} ({line['pairs']} pairs)."
        )
    return lines


def problem_lines(problems: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Each kind of problem with the rows that have it; rows: place and problem, "" without."""
    rows: dict[str, list[int]] = {}
    for row, problem in problems:
        if problem:
            rows.setdefault(problem, []).append(row)
    for problem, places in list(rows.items())[:PROBLEMS_SHOWN]:
        few = ", ".join(map(str, places[:5])) + (", ..." if len(places) > 5 else "")
        yield (
            f"{len(places)} rows ({few}): {problem}"
            if len(places) > 1
            else (f"row {few}: {problem}")
        )
    if len(rows) > PROBLEMS_SHOWN:
        yield f"and {len(rows) - PROBLEMS_SHOWN} more kinds of problems"


def interval_text(line: pd.Series, condition: str) -> str:
    """A figure of the table "summary" with its interval; condition: "", "blank" or "swapped"."""
    value = line[condition or "value"]
    start = f"{condition}_" if condition else ""
    if value != value:
        return "not known"
    low, high = line[start + "low"], line[start + "high"]
    # Of one patient or image there is none.
    return f"{value:.2f} ({low:.2f} to {high:.2f})" if low == low else f"{value:.2f}"


def _of_what(rows: pd.DataFrame) -> str:
    counts = Counter(rows["parsed"])
    problems = int((rows["problem"] != "").sum())
    return (
        f"{counts['yes']} yes, {counts['no']} no, {counts['uncertain']} uncertain; {problems} rows "
        "have a problem"
    )


def _share(value: float) -> str:
    return "?" if value != value else f"{value:.0%}"
