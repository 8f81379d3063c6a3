"""The example set: balanced, apart from what was trained on, and the same each time."""

import csv
import io
from collections import Counter

import pytest

from medgemma_dash.demo.question_set import COLUMNS, TABLE, WITHHELD, example_files
from medgemma_dash.demo.questions import FINDINGS
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED


@pytest.fixture(scope="module")
def files():
    """Twenty films are drawn: some seconds."""
    return dict(example_files())


@pytest.fixture(scope="module")
def rows(files):
    return list(csv.DictReader(io.StringIO(files[TABLE].decode(), newline="")))


def test_half_of_the_truths_are_no_in_each_finding_and_strategy(rows):
    assert len(rows) == 120
    assert Counter(row["correct_answer"] for row in rows) == {"yes": 60, "no": 60}
    for column, names in (("finding", FINDINGS), ("strategy", None)):
        counted = Counter((row[column], row["correct_answer"]) for row in rows)
        assert set(counted.values()) == {len(rows) // len(counted)}
        assert names is None or {name for name, _ in counted} == set(names)


def test_each_question_has_six_wordings_of_which_one_strategy_is_withheld(rows):
    groups = Counter((row["image_path"], row["baseline_question"]) for row in rows)
    assert len(groups) == 20
    assert set(groups.values()) == {6}
    assert len({row["strategy"] for row in rows}) == 6
    assert {row["strategy"] for row in rows if row["withheld"] == "yes"} == {WITHHELD}
    assert len({(row["image_path"], row["question"]) for row in rows}) == 120
    assert {row["question"] for row in rows if row["strategy"] == "baseline"} == {
        row["baseline_question"] for row in rows
    }


def test_the_demo_model_never_saw_the_films_nor_the_withheld_wording(rows):
    from medgemma_dash.demo import question_set, questions

    assert question_set.FIRST_SEED >= FIRST_EVALUATION_SEED
    trained = [
        questions.TECHNICAL_TEMPLATE, questions.PLAIN_TEMPLATE, *questions.TERSE_TEMPLATES,
        *questions.REWORDED_TEMPLATES,
    ]  # fmt: skip
    texts = {
        template.format(term)
        for template in trained
        for terms in (questions.TECHNICAL_TERMS, questions.PLAIN_TERMS)
        for some in terms.values()
        for term in some
    }
    assert not texts & {row["question"] for row in rows if row["withheld"] == "yes"}


def test_it_is_small_and_reproducible_to_the_byte(files):
    assert sum(map(len, files.values())) < 3_000_000
    assert len(files) == 21
    assert list(rows_header(files)) == list(COLUMNS)
    assert dict(example_files()) == files


def test_its_films_are_the_first_that_fit():
    from medgemma_dash.demo import question_set

    assert tuple(question_set.first_seeds()) == question_set._SEEDS


def rows_header(files):
    return files[TABLE].decode().splitlines()[0].split(",")
