"""The sentences of an interventions record, from numbers that are known by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.services.interventions.reading import (
    answer_line,
    box_line,
    change_line,
    chosen_words,
    selection_line,
    word_changes,
)

MADE_BY = RecordProvenance("demo", "1", True, "cpu", "float32", ("ab",), (), 0.1)


def record(how="remove", after=(8.0, 5.0, 1.0), elsewhere=(), texts=("Yes", "No.")) -> Record:
    """Two words, the second of two tokens, then the end; logits were 10, 5 and 5."""
    tokens = [0, 1, 2, 3]
    words = pd.DataFrame(
        {
            "token": tokens,
            "text": ["Yes", " pneumo", "thorax", ""],
            "logit": [10.0, 5.0, 5.0, 1.0],
            "logit_after": [*after, 1.0],
            "probability": [0.9, 0.999, 0.999, 1.0],
            "probability_after": [0.5, 0.9, 0.0001, 1.0],
            "logit_without": [6.0, 5.0, 5.0, 1.0],
            "first_after": ["No", " b", "c", ""],
            "special": [False, False, False, True],
            "word": [0, 1, 1, 2],
        }
    )
    rows = [
        (copy, token, logit)
        for copy, logits in enumerate(elsewhere)
        for token, logit in zip(tokens, (*logits, 1.0), strict=True)
    ]
    scores = {
        "measure": ["pointing game", "energy inside", "overlap"],
        "value": [1.0, 0.5, 0.2],
        "uniform": [0.1, 0.02, 0.02],
        "displaced": [0.0, 0.01, 0.0],
        "problem": [""] * 3,
    }
    plan = {
        "how": how,
        "cells": [[0, 0], [0, 1]],
        "grid": [4, 4],
        "removal": "mean token",
        "target": {"kind": "token", "token_indices": [2], "text": "thorax"},
    }
    answers = pd.DataFrame({"which": ["before", "after"], "text": texts})
    tables = {
        "words": words,
        "elsewhere": pd.DataFrame(rows, columns=["copy", "token", "logit"]),
        "answers": answers,
        "box": pd.DataFrame(scores),
    }
    return Record("interventions", plan, tables, MADE_BY)


def test_a_words_tokens_are_told_together():
    yes, other = word_changes(record(elsewhere=[(9.0, 5.0, 4.0)]))
    assert (yes.text, yes.change, yes.whole, yes.elsewhere, yes.first) == (
        "Yes",
        -2,
        -4,
        (-1,),
        "No",
    )
    assert (other.text, other.change, other.elsewhere) == (" pneumothorax", -4, (-1,))
    assert other.probability == pytest.approx(0.999**2)
    assert chosen_words(record()) == (1,)


@pytest.mark.parametrize(
    ("elsewhere", "said", "stands_out"),
    [
        ((), "too large to stand elsewhere", False),
        ([(10.0, 5.0, 4.99)], "in one other place changes it by less than 0.05.", True),
        ([(10.0, 5.0, 3.0), (10, 5, 6.0)], "2 other places gives \u22122.00 to +1.00.", True),
        ([(10.0, 5.0, 3.0), (10, 5, 0.0)], "to \u22122.00; 1 of 2 takes as much.", False),
        ([(10.0, 5.0, 1.0), (10, 5, 0.0)], "; 2 of 2 take as much.", False),
    ],
)  # fmt: skip
def test_what_is_removed_is_held_against_other_places(elsewhere, said, stands_out):
    made = record(elsewhere=elsewhere)
    line = change_line(made)
    assert line.startswith(
        "“pneumothorax” changes most: its logit falls by 4.00, its probability goes from > 0.99 to "
        "< 0.001."
    )
    assert line.endswith(said) or said in line
    assert word_changes(made)[1].stands_out is stands_out


def test_of_what_is_kept_the_word_is_told_that_needs_the_image_most():
    made = record("keep", after=(9.98, 5.0, 1.0), elsewhere=[(6.1, 5, 5), (9.99, 5, 5)])
    assert change_line(made) == (
        "Without any of the image the logit of “Yes” falls by 4.00; with these patches alone it "
        "holds, its probability goes from 0.90 to 0.50. The same shape in 2 other places gives "
        "\u22123.90 to \u22120.01; 1 of 2 keeps as much."
    )
    assert selection_line(made) == (
        "2 of 16 patches are kept and all others are removed, by the mean image token."
    )


def test_nothing_is_made_of_rounding():
    made = record(after=(10.02, 5.0, 5.0), elsewhere=[(10.01, 5.0, 5.0)])
    assert change_line(made) == "No word's logit changes by 0.05 or more."
    assert not any(word.stands_out for word in word_changes(made))


def test_answers_are_quoted_and_one_that_is_the_same_is_not():
    assert answer_line(record()) == "Asked anew, the model says “No.” in place of “Yes”."
    assert answer_line(record(texts=("Yes.", ""))).endswith("says “nothing” in place of “Yes.”")
    assert answer_line(record(texts=("Yes.", " Yes. "))).endswith("gives the same answer.")


def test_the_selection_stands_beside_other_places_and_its_share():
    assert box_line(record()) == (
        "Of the map of “thorax”, 50% lies in the selection, which is 2% of the picture; in the "
        "same shape elsewhere 1% on average. Its peak lies in it."
    )
    small = record()
    small.tables["box"].loc[:, ["value", "uniform"]] = 0.004
    assert "under 1% lies in the selection, which is under 1% of the picture" in box_line(small)
    flat = record()
    flat.tables["box"].loc[:, "value"] = np.nan
    assert "nothing positive" in box_line(flat)
