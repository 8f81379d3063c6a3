"""A record of questions: the scores over their blind floors, what is beside them, and the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.core.counted import counted
from medgemma_dash.figures import map_grid_figure, question_scores_figure
from medgemma_dash.services.questions.behind import rows_behind, rows_of_answers
from medgemma_dash.services.questions.reading import problem_lines
from medgemma_dash.services.questions.sentences import NOTHING, scores_sentence, truths_sentence
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.pages.questions.cells import bars_chart, cells_table, show_all
from medgemma_dash.ui.pages.questions.grid import row_grid
from medgemma_dash.ui.pages.questions.parts import parts_panel
from medgemma_dash.ui.pages.questions.state import QuestionsState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record

SCORES, CONFUSION = "questions_scores", "questions_confusion"
ROWS_IN_SIGHT = 6
MEASURES = {"accuracy": "Accuracy", "auc": "AUC"}
CONDITIONS = {"": "", "blank": ", image blanked", "swapped": ", image swapped"}
ANSWERS = {"yes": "said yes", "no": "said no", "uncertain": "said neither"}
GRID_COLUMNS = (
    "row", "asked", "truth", "parsed", "answer", "finding", "strategy", "phrasing", "margin",
    "blank_margin", "swapped_margin", "problem",
)  # fmt: skip


def show_questions_record(record: Record, *, finished: bool) -> None:
    """Draw a record; neither its images nor a model are needed. finished: False while it grows."""
    if not len(record.tables["summary"]):
        _no_scores(record, finished=finished)
        return
    with st.container(key="questions_columns"):
        left, right = st.columns([45, 55], gap="medium")
    with left:
        _scores(record)
    with right:
        parts_panel(record)
    _rows(record, finished=finished)


def _no_scores(record: Record, *, finished: bool) -> None:
    rows = record.tables["rows"]
    problems = problem_lines(list(zip(rows["row"], rows["problem"], strict=True)))
    lines = [[Segment(NOTHING)], *([Segment(line, "small")] for line in problems)]
    rich_line(lines, key="questions_no_scores", tone="caution")
    _rows(record, finished=finished)


def _scores(record: Record) -> None:
    part_heading("Scores", "scores")
    rich_line([[Segment(scores_sentence(record))]], key="questions_sentence", tone="card",
              announce="status")  # fmt: skip
    bars_chart(
        question_scores_figure([score for _, score in hero_scores(record)], is_dark()),
        key=SCORES,
        alt="Bars: accuracy and the area under the ROC curve, with the image as it is, blanked, "
        "and swapped, each with its 95% interval.",
        rows=lambda place, _: _of_score(record, place),
    )
    rich_line([[Segment(truths_sentence(record), "small")]], key="questions_truths")
    cells_table(
        _confusion(record),
        key=CONFUSION,
        hints={"_index": "The right answer, as the table has it."}
        | {
            name: f"How many of them the model {name}. Click a number to see its rows."
            for name in ANSWERS.values()
        },
        rows=lambda place, name: _of_confusion(record, place, name),
    )


def hero_scores(record: Record) -> list[tuple[str, tuple[str, float, float, float]]]:
    """Accuracy and AUC, each before its floors: the measure, and what a bar shows."""
    summary = record.tables["summary"]
    every = summary[summary["by"] == "all"].set_index("measure")
    found = []
    for measure, title in MEASURES.items():
        line = every.loc[measure]
        for condition, words in CONDITIONS.items():
            start = f"{condition}_" if condition else ""
            ends = float(line[f"{start}low"]), float(line[f"{start}high"])
            value = float(line[condition or "value"])
            found.append((measure, (title + words, value, *ends)))
    return found


def _of_score(record: Record, place: int) -> tuple[str, pd.DataFrame]:
    measure = hero_scores(record)[place][0]
    return f"behind {MEASURES[measure]}", rows_behind(record, "all", "", measure)


def _confusion(record: Record) -> pd.DataFrame:
    table = record.tables["confusion"]
    every = table[table["by"] == "all"].set_index("truth")[list(ANSWERS)].rename(columns=ANSWERS)
    return every.rename_axis("truth")


def _of_confusion(record: Record, place: int, name: str) -> tuple[str, pd.DataFrame]:
    truth = ("yes", "no")[place]
    parsed = next((one for one, title in ANSWERS.items() if title == name), "")
    label = f"whose truth is {truth}" + (f", and of which the model {name}" if parsed else "")
    return label, rows_of_answers(record, truth, parsed)


def _rows(record: Record, *, finished: bool) -> None:
    """The rows behind the cell or bar that was clicked; all until one was."""
    state = page_state(QuestionsState)
    rows = record.tables["rows"]
    behind = state.behind
    part_heading("Rows", "rows")
    so_far = "" if finished else " done so far"
    if behind is not None:
        rows = rows[rows["row"].isin(behind.rows)]
        line = [
            Segment(f"{counted(len(rows), 'row')} {behind.label}. "),
            Segment("show all", "action", "all"),
        ]
    else:
        line = [
            Segment(
                f"{_every(len(rows))}{so_far}. A bar or a number above shows the rows behind it; "
                "a row opens in Explain.",
                "small",
            )
        ]
    rich_line([line], key="questions_behind", announce="status", on_choose=_show_all)
    names = [name for name in GRID_COLUMNS if name in rows]
    empty = [name for name in ("strategy", "problem") if not rows[name].astype(bool).any()]
    shown = rows[[name for name in names if name not in empty]]
    if len(shown):
        row_grid(shown, rows_in_sight=ROWS_IN_SIGHT, key=f"{state.opened}_{state.run[:8]}_answered")
    _map_of_row(record)


def _every(rows: int) -> str:
    return "The one row" if rows == 1 else f"All {rows:,} rows"


def _show_all() -> None:
    if chosen_action("questions_behind") == "all":
        show_all()


def _map_of_row(record: Record) -> None:
    """Of a row whose film is not at hand, its map without one."""
    row = page_state(QuestionsState).looked_at
    image = record.maps.get(f"row {row}")
    if row is None or image is None:
        return
    st.caption(f"The map of row {row}'s decision, without its film, which is not at hand:")
    chart(
        map_grid_figure([image], [f"row {row}"], dark=is_dark()),
        key="questions_row_map",
        alt=f"The relevance map of row {row}, cell by cell.",
    )
