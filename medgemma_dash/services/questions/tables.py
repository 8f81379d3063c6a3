"""The tables of a record, from a table's rows and what came of them."""

from collections.abc import Generator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from medgemma_dash.metrics.answer_parsing import parse_answer
from medgemma_dash.services.datasets.questions.rows import QuestionRow
from medgemma_dash.services.questions import flips, scores
from medgemma_dash.services.questions.journal import Outcome

NAN = float("nan")
# The parts of a table that a summary is made by; empty where the input does not have them.
ALWAYS = ("finding", "strategy")


def table_steps(
    columns: Sequence[str],
    rows: Sequence[QuestionRow],
    outcomes: Mapping[int, Outcome],
    partners: Mapping[int, int],
) -> Generator[None, None, dict[str, pd.DataFrame]]:
    """Every table of the record; yields between them. outcomes, partners: by row."""
    table = row_table(columns, rows, outcomes, partners)
    maps: dict[int, npt.NDArray[np.float32]] = {
        row: outcome.map for row, outcome in outcomes.items() if outcome.map is not None
    }
    yield
    changes = yield from flips.change_steps(table, maps)
    yield
    groups = yield from flips.group_steps(table, changes)
    yield
    summary = yield from scores.score_steps(table)
    return {
        "rows": table,
        "summary": summary,
        "confusion": scores.confusion_table(table),
        "flips": flips.flip_table(table, groups, changes),
        "groups": groups,
        "changes": changes,
        "map_changes": flips.map_table(table, changes),
    }


def row_table(
    columns: Sequence[str],
    rows: Sequence[QuestionRow],
    outcomes: Mapping[int, Outcome],
    partners: Mapping[int, int],
) -> pd.DataFrame:
    """Every input column, then what came of each row."""
    found: dict[str, list[object]] = {
        column: [row.cells[column] for row in rows] for column in columns
    }
    every = [_line(row, outcomes.get(row.row), partners.get(row.row, -1)) for row in rows]
    names = every[0] if every else {}
    found |= {name: [line[name] for line in every] for name in names if name != "group"}
    found |= {name: [getattr(row, name) for row in rows] for name in ALWAYS}
    numbers: dict[tuple[str, str], int] = {}
    found["group"] = [
        numbers.setdefault((str(line["image_sha256"]), row.baseline_question), len(numbers))
        if line["image_sha256"]
        else -1
        for row, line in zip(rows, every, strict=True)
    ]
    return pd.DataFrame(found)


def _line(row: QuestionRow, outcome: Outcome | None, partner: int) -> dict[str, object]:
    answer = None if outcome is None else outcome.answer
    parsed = "" if answer is None else parse_answer(answer)
    known = bool(parsed and row.truth)
    return {
        "row": row.row,
        "answer": answer or "",
        "parsed": parsed,
        "truth": row.truth,
        "correct": float(parsed == row.truth) if known else NAN,
        "margin": NAN if outcome is None else outcome.margin,
        "problem": row.problem if outcome is None else outcome.problem,
        "seconds": 0.0 if outcome is None else outcome.seconds,
        "asked": row.asked,
        "phrasing": row.phrasing,
        "image_sha256": "" if outcome is None else outcome.image_sha256,
        "blank_margin": NAN if outcome is None else outcome.blank_margin,
        "swapped_margin": NAN if outcome is None else outcome.swapped_margin,
        "swapped_row": partner,
    }
