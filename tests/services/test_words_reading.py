"""What a words record's rows say, from their numbers."""

from dataclasses import replace

import numpy as np
import pytest

from medgemma_dash import read_record, target_words
from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.services.words.reading import (
    alike_line,
    failed_together,
    quality_line,
    regions_line,
)
from medgemma_dash.services.words.rows import NUMBERS, WordRow, full_names, word_rows
from tests.random_answers import FORCED, QUESTION, case

SIX = "six layers, heads 8 on 4"
CELLS = np.arange(1, 257, dtype=np.float32).reshape(16, 16)


def row(word: str = "right", image: np.ndarray | None = CELLS, **numbers: float) -> WordRow:
    given = dict.fromkeys(NUMBERS, 0.3) | numbers
    return WordRow(
        word, "answer", 1, 1, 1, 1, "5fc4", "chefer", f" {word}", "Yes,", "", -0.1, True, False,
        image, given, {"border": "good", "entropy": "poor"},
    )  # fmt: skip


def test_rows_say_where_a_word_stands_and_what_is_around_it(tmp_path):
    found = case(SIX)
    record = target_words(
        found.model, found.answer, ("right", "evidence"), places=("answer", "prompt", "forced")
    )
    record.save(tmp_path / "words.zip")
    rows = word_rows(read_record(tmp_path / "words.zip"))
    assert full_names(rows) == [
        "right (answer)", "right (forced)", "evidence (prompt)", "evidence (forced)",
    ]  # fmt: skip
    said, forced, asked, _ = rows
    assert said.preceding + said.text + said.following == FORCED
    assert asked.preceding + asked.text + asked.following == QUESTION
    assert forced.following == ""
    table = record.tables["words"]
    for one, wanted in zip(rows, table.to_dict("records"), strict=True):
        np.testing.assert_array_equal(one.map, record.maps[wanted["map"]])
        assert one.numbers == {name: wanted[name] for name in NUMBERS}
        assert one.marks["inside_body"] == wanted["inside_body_mark"]
    with pytest.raises(ResultFileError, match="not those of the kind"):
        word_rows(replace(record, tables={"words": table.drop(columns=["entropy"])}))


def test_words_that_are_looked_for_in_one_place_are_told_together():
    low = {"left": 0.8, "right": 0.2, "basal": 0.6}
    rows = [row("right", **low), row("lower", **low), row("Yes", left=0.5, right=0.5)]
    assert regions_line(rows, "left") == (
        "'right' and 'lower': mostly the image's left half (patient's right), and its lower third. "
        "'Yes': no one half or third of the image."
    )
    assert regions_line(rows[:1]) == ("'right': mostly the image's left half, and its lower third.")
    mixed = replace(row(image=CELLS - 9, **low), signed=True)
    assert regions_line([mixed]).endswith("; what speaks against it may lie elsewhere.")
    assert regions_line([replace(mixed, map=CELLS)]) == regions_line(rows[:1])
    nothing = dict.fromkeys(NUMBERS, float("nan"))
    assert regions_line([row(**nothing)]) == "'right': nothing that speaks for it on the image."
    assert regions_line([row(image=None)]) == quality_line([row(image=None)]) == ""
    assert quality_line([row(), row(image=None)]) == (
        "Targets reached: inside the body 0 of 1, off the border 1 of 1, focused 0 of 1, a clear "
        "peak 0 of 1."
    )
    rows = [row("a", inside_body=0.9), row("b", inside_body=0.95)]
    assert quality_line(rows, 0.92).endswith(
        " No more inside the body than an even map (92%): 'a'."
    )
    assert "even" not in quality_line(rows, 0.8)
    # A map that has a little more than an even one is not written as if it had the same.
    near = [row("a", inside_body=0.9), row("b", inside_body=0.9231)]
    assert quality_line(near, 0.9187).endswith("than an even map (91.9%): 'a'.")


def test_maps_of_words_are_alike_or_not_by_what_their_controls_give():
    far = np.zeros((16, 16), np.float32)
    far[2, 2] = 1
    assert "are the same map" in alike_line([row("a"), row("b")])
    assert "alike (" not in alike_line([row("a"), row("b", image=far)])
    # Nothing to compare: one map, none, another grid, or the same for every word.
    for rows in (
        [row("a")],
        [row("a"), row("b", image=None)],
        [row("a"), row("b", image=CELLS[:8])],
        [row("a"), replace(row("b"), per_word=False)],
    ):
        assert alike_line(rows) == ""


def test_words_that_a_method_failed_on_for_one_reason_are_told_together():
    found = case(SIX)
    record = target_words(found.model, found.answer, ("right", "zone"), method="uniform")
    assert list(failed_together(record)) == [
        "uniform made no map of 'right' and 'zone'. It found the same everywhere on it: that is "
        "no map."
    ]
