"""Scores, flips and maps of small sets whose figures can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.figures import question_scores_figure
from medgemma_dash.services.datasets.questions.finding import finding_of
from medgemma_dash.services.datasets.questions.rows import QuestionRow
from medgemma_dash.services.questions.flips import change_table, flip_table, group_table, map_table
from medgemma_dash.services.questions.reading import (
    headline,
    interval_text,
    problem_lines,
    rows_behind,
)
from medgemma_dash.services.questions.scores import confusion_table, score_table, share
from medgemma_dash.services.questions.sentences import (
    parts_sentence,
    scores_sentence,
    truths_sentence,
)
from medgemma_dash.services.questions.swaps import swap_partners

# image, group, finding, phrasing, strategy, truth, said, margin
SAID = [
    ("a", 0, "nodule", "baseline", "baseline", "yes", "yes", 2.0),
    ("a", 0, "nodule", "shown", "register shift", "yes", "no", -1.0),
    ("a", 0, "nodule", "withheld", "voice change", "yes", "yes", 2.5),
    ("b", 1, "nodule", "baseline", "baseline", "no", "no", -2.0),
    ("b", 1, "nodule", "shown", "register shift", "no", "no", -3.0),
    ("b", 1, "nodule", "withheld", "voice change", "no", "yes", 0.5),
    ("c", 2, "edema", "baseline", "baseline", "no", "uncertain", -0.5),
    ("c", 2, "edema", "shown", "register shift", "no", "no", -0.5),
    ("c", 2, "edema", "shown", "synonym", "", "no", -0.5),
    ("c", 2, "edema", "withheld", "voice change", "no", "", np.nan),
]


@pytest.fixture(scope="module")
def rows():
    names = [
        "image_sha256",
        "group",
        "finding",
        "phrasing",
        "strategy",
        "truth",
        "parsed",
        "margin",
    ]
    table = pd.DataFrame(SAID, columns=names)
    table["row"] = np.arange(len(table)) + 100
    table["asked"] = "Q?"
    table["problem"] = ""
    table["blank_margin"] = 0.5
    table["swapped_margin"] = -table["margin"]
    return table


def of(table, **where):
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_scores_and_floors_are_counted(rows):
    table = score_table(rows)

    def score(measure, by="all", name=""):
        line = of(table, measure=measure, by=by, name=name)
        return line["value"], line["blank"], line["swapped"]

    # Eight rows: three are yes. Right: a0, a2, b0, b1, c1; "uncertain" is not.
    assert score("accuracy") == (5 / 8, 3 / 8, 2 / 8)
    assert score("sensitivity") == (2 / 3, 1.0, 1 / 3)
    assert score("specificity") == (3 / 5, 0.0, 1 / 5)
    assert score("decision_accuracy") == (6 / 8, 3 / 8, 2 / 8)
    # Of 15 pairs 2.0 and 2.5 win all; -1.0 wins over -2.0 and -3.0.
    assert score("auc") == (12 / 15, 0.5, 3 / 15)
    assert score("accuracy", "finding", "edema") == (1 / 2, 0.0, 0.0)
    assert np.isnan(score("auc", "finding", "edema")).all()
    assert np.isnan(of(table, measure="accuracy", by="finding", name="edema")["low"])
    assert score("sensitivity", "strategy", "register shift") == (0.0, 1.0, 1.0)
    assert set(table[table["by"] == "all"]["rows"]) == {8}
    assert set(table[table["by"] == "all"]["clusters"]) == {3}
    assert (table["low"].fillna(0) <= table["value"].fillna(1)).all()


def test_a_share_that_no_draw_changes_has_an_exact_interval():
    clusters = np.repeat(np.arange(20), 3)
    none, every = share(np.zeros(60), clusters), share(np.ones(60), clusters)
    # With p = 0.8316 twenty patients are all right in 2.5% of samples.
    assert every.low**20 == pytest.approx(0.025)
    assert (none.low, none.high, every.high) == (0.0, 1.0 - every.low, 1.0)
    one = share(np.ones(3), np.zeros(3, dtype=np.int64))
    assert np.isnan([one.low, one.high]).all()


def test_confusion_is_counted(rows):
    table = confusion_table(rows)
    columns = ["yes", "no", "uncertain"]
    assert of(table, by="all", truth="yes")[columns].tolist() == [2, 1, 0]
    assert of(table, by="all", truth="no")[columns].tolist() == [1, 3, 1]
    assert of(table, by="finding", name="edema", truth="no")[columns].tolist() == [0, 1, 1]


def test_flips_are_counted_over_shown_and_withheld_phrasings_apart(rows):
    changes = change_table(rows, {})
    assert changes["change"].tolist() == [
        "yes_to_no", "yes_to_yes", "no_to_no", "no_to_yes", "other", "other",
    ]  # fmt: skip
    assert changes["margin_change"].tolist() == [-3.0, 0.5, -1.0, 2.5, 0.0, 0.0]
    assert changes["row"].tolist() == [101, 102, 104, 105, 107, 108]
    groups = group_table(rows, changes)
    shown = groups[groups["phrasing"] == "shown"]
    assert shown["flipped"].tolist() == [True, False, True]
    assert shown["consistency"].tolist() == [0.5, 1.0, 2 / 3]
    withheld = groups[groups["phrasing"] == "withheld"]
    assert withheld["group"].tolist() == [0, 1], "a wording that was not answered is none"
    assert withheld["flipped"].tolist() == [False, True]
    table = flip_table(rows, groups, changes)
    every = of(table, phrasing="shown", strategy="")
    assert every[["groups", "pairs", "yes_to_no", "no_to_no", "other"]].tolist() == [3, 4, 1, 1, 2]
    assert every["flipped"] == pytest.approx(2 / 3)
    assert every["margin_change"] == 1.0
    register = of(table, phrasing="shown", strategy="register shift")
    assert (register["groups"], register["flipped"]) == (3, pytest.approx(2 / 3))
    assert register["consistency"] == pytest.approx(1 / 3)
    kept_back = of(table, phrasing="withheld", strategy="")
    assert (kept_back["flipped"], kept_back["no_to_yes"]) == (0.5, 1)


def test_maps_are_compared_where_answers_flip_and_where_they_hold(rows):
    left, right, both = np.eye(2, dtype=np.float32)[0], np.eye(2, dtype=np.float32)[1], 0.5
    maps = {100: left, 101: right, 102: left, 103: left, 104: (left + right) * both, 105: right}
    changes = change_table(rows, {row: one[None] for row, one in maps.items()})
    half = 0.5 * (np.log(4 / 3) + 0.5 * np.log(2 / 3) + 0.5 * np.log(2))
    np.testing.assert_allclose(
        changes["js_divergence"], [np.log(2), 0.0, half, np.log(2), np.nan, np.nan], atol=1e-7
    )
    table = map_table(rows, changes)
    assert of(table, phrasing="shown", answer="flips")["js_divergence"] == pytest.approx(np.log(2))
    assert of(table, phrasing="shown", answer="holds")["js_divergence"] == pytest.approx(half)
    assert of(table, phrasing="withheld", answer="holds")["pairs"] == 1


def test_every_figure_leads_to_its_rows(rows):
    tables = {"rows": rows, "summary": score_table(rows)}
    facts = RecordProvenance("m", "r", False, "cpu", "float32", (), (), 0.0)
    record = Record("questions", {}, tables, facts)
    for _, line in tables["summary"].iterrows():
        behind = rows_behind(record, line["by"], line["name"], line["measure"])
        if line["measure"] not in ("sensitivity", "specificity"):
            assert len(behind) == line["rows"]
        if line["measure"] in ("accuracy", "sensitivity", "specificity") and len(behind):
            assert (behind["parsed"] == behind["truth"]).mean() == line["value"]


def test_sentences_name_what_is_not_known_and_what_is_not_counted(rows):
    tables = {"rows": rows, "summary": score_table(rows), "confusion": confusion_table(rows)}
    facts = RecordProvenance("m", "r", False, "cpu", "float32", (), (), 0.0)
    record = Record("questions", {}, tables, facts)
    assert scores_sentence(record).startswith("62% of 8 answers are right; ")
    said = truths_sentence(record)
    assert "1 answer says neither." in said
    assert said.endswith("Not counted of 10 rows: 1 not answered, 1 without a truth of yes or no.")
    assert interval_text(of(tables["summary"], by="finding", name="edema", measure="accuracy"),
                         "") == "0.50"  # fmt: skip
    nodule = parts_sentence(record, "finding", "auc")
    assert "?" not in said + nodule
    assert nodule.endswith("the blind floor.")
    # Several that share the least or the most are counted, and none is named for them all.
    summary = pd.DataFrame(
        {"by": "finding", "name": list("abcd"), "measure": "accuracy",
         "value": [1.0, 0.5, 1.0, 1.0], "low": 0.4, "blank_high": 0.9}
    )  # fmt: skip
    shared = parts_sentence(Record("questions", {}, {"summary": summary}, facts), "finding")
    assert shared == (
        "Accuracy is lowest for b, 0.50, and highest for 3 findings, 1.00; by their intervals "
        "none of 4 above the blind floor."
    )


def test_a_score_that_is_not_known_has_no_number():
    nan = float("nan")
    figure = question_scores_figure([("AUC", nan, nan, nan), ("Accuracy", 0.5, 0.2, 0.8)])
    assert [one.text for one in figure.layout.annotations] == ["not known", "0.50 (0.20–0.80)"]
    assert "not known" in figure.data[1].hovertext[0]
    assert figure.data[0].x[0] == 0.0


def test_an_empty_set_of_answers_has_tables_without_rows(rows):
    none = rows.assign(parsed="", margin=np.nan)
    changes = change_table(none, {})
    groups = group_table(none, changes)
    tables = {
        "rows": none, "summary": score_table(none), "confusion": confusion_table(none),
        "flips": flip_table(none, groups, changes), "map_changes": map_table(none, changes),
    }  # fmt: skip
    assert [len(tables[name]) for name in ("summary", "flips", "map_changes")] == [0, 0, 0]
    facts = RecordProvenance("m", "r", False, "cpu", "float32", (), (), 0.0)
    said = headline(Record("questions", {}, tables, facts))
    assert said[0].startswith("0 of 10 rows answered")


def test_partners_are_of_the_other_truth_another_image_and_the_same_finding():
    def row(place, image, truth, finding, asked=True):
        return QuestionRow(
            place, {}, "Q?", image, truth, "Q?", "", "baseline", finding, "", "", asked
        )

    rows = [
        row(0, "a", "yes", "nodule"),
        row(1, "a", "yes", "nodule"),
        row(2, "b", "no", "nodule"),
        row(3, "c", "no", "nodule"),
        row(4, "c", "yes", "edema"),
        row(5, "d", "", "edema"),
        row(6, "a", "no", "edema", asked=False),
        row(7, "a", "no", "mass"),
    ]
    found = swap_partners(rows)
    assert found == {0: 2, 1: 3, 2: 0, 3: 1, 4: 2, 7: 4}


def test_partners_are_found_at_once_among_rows_of_one_image():
    rows = [
        QuestionRow(
            place, {}, "Q?", "a" if place < 19_999 else "b", "no" if place % 2 else "yes", "Q?", "",
            "baseline", "edema", "", "", True,
        )
        for place in range(20_000)
    ]  # fmt: skip
    found = swap_partners(rows)
    assert found.keys() == {*range(0, 20_000, 2), 19_999}
    assert {found[row] for row in range(0, 20_000, 2)} == {19_999}


def test_problems_are_told_once_with_their_rows():
    rows = [(row, "The question is empty." if row % 2 else "") for row in range(14)]
    assert list(problem_lines([*rows, (20, "Other.")])) == [
        "7 rows (1, 3, 5, 7, 9, ...): The question is empty.",
        "row 20: Other.",
    ]


@pytest.mark.parametrize(
    ("question", "finding"),
    [
        ("Is there evidence of pneumonia?", "pneumonia"),
        ("Any fluid around the lungs?", "pleural effusion"),
        ("Is the heart enlarged?", "cardiomegaly"),
        ("Does the patient have tuberculosis?", "other"),
        ("Is there massive change?", "other"),
        ("Are there nodules?", "nodule"),
    ],
)
def test_a_finding_is_read_from_whole_words(question, finding):
    assert finding_of(question) == finding
