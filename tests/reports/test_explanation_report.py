"""What a report of an explanation holds: its title, runs of the answer, tables and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Against
from medgemma_dash.reports.explanation import explanation_report
from medgemma_dash.reports.explanation_tables import provenance_table
from medgemma_dash.reports.report import Column, Table
from tests.reports.pages import IS_GLOBAL, told
from tests.services.makers import ZONES, make_answer, make_explanation, make_target


def test_neighbouring_tokens_of_a_word_are_one_mark() -> None:
    answer = make_answer(("A", " pneum", "othor", "ax", "."))
    word = told(make_explanation(answer, make_target(answer, 1, 2, 3)), answer)
    marked = [run.text for run in word.answer if run.role == "marked"]
    assert marked == ["pneumothorax"]
    apart = told(make_explanation(answer, make_target(answer, 0, 2)), answer)
    assert [run.text for run in apart.answer if run.role == "marked"] == ["A", "othor"]
    for report in (word, apart):
        said = [run.text for run in report.answer if run.role != "control"]
        assert "".join(said) == answer.text


def test_a_span_has_no_runners_up_and_a_token_has_its_own(
    answer: Answer, explanation: Explanation
) -> None:
    titles = [table.title for table in told(explanation, answer).tables]
    assert titles == ["Zones", "Words", "Layers", "Probability"]
    span = make_explanation(answer, make_target(answer, 0, 1))
    assert [table.title for table in told(span, answer).tables] == titles[:-1]


def test_a_run_of_one_token_id_is_counted(explanation: Explanation) -> None:
    facts = replace(explanation.provenance, token_ids=(2, *[8] * 256, 7, 7, 5))
    assert dict(provenance_table(facts).rows)["Token ids"] == "2 8 × 256 7 7 5"


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="'Layers' have 1 cells"):
        Table("Layers", "", (Column("Layer", "name"),), (("0", 0.5),))


def test_a_contrast_is_what_the_report_asks(answer: Answer) -> None:
    target = make_target(answer, 2, against=Against(7, " No"))
    asked = explanation_report(make_explanation(answer, target), answer, IS_GLOBAL, zones=ZONES)
    assert asked.title == "Why “left” rather than “No”?"


def test_an_explanation_of_another_answer_makes_no_report(explanation: Explanation) -> None:
    other = make_answer(("Yes", "."))
    with pytest.raises(ValueError, match="belongs to another answer"):
        explanation_report(explanation, other, IS_GLOBAL, zones=ZONES)


def test_where_no_prompt_word_mattered_there_is_no_empty_chart(
    answer: Answer, explanation: Explanation
) -> None:
    start, stop = answer.image_span
    row = np.zeros_like(explanation.row)
    row[start:stop] = explanation.row[start:stop]
    only_image = replace(explanation, row=row)
    titles = [
        [figure.title for figure in explanation_report(one, answer, IS_GLOBAL, zones=ZONES).figures]
        for one in (explanation, only_image)
    ]
    assert [len(one) for one in titles] == [2, 1]
