"""A set of questions asked row by row: every number, and what an interruption leaves."""

import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from medgemma_dash import answer_questions, ask, explain, load_radiograph, read_record
from medgemma_dash.core.errors import CancelledError, ResultFileError, TableError
from medgemma_dash.core.record_files import record_files
from medgemma_dash.services.questions import run
from medgemma_dash.services.questions.journal import FILE, Journal, Outcome
from tests.gemma3_factory import Shape, random_adapter
from tests.oracles.gemma3_float64 import decode
from tests.random_answers import case, soft_tokens
from tests.services.questions.tables import write_set, write_table

TOKENS = 4


@pytest.fixture(scope="module")
def model():
    return case("six layers, heads 8 on 4").model


@pytest.fixture
def table(tmp_path):
    return write_set(tmp_path / "set")


@pytest.fixture
def answer(model, table):
    """Ask the set; options as `answer_questions`."""

    def asked(out=None, **options):
        options = {"images": table.parent / "images", "max_new_tokens": TOKENS, **options}
        return answer_questions(options.pop("model", model), table, out=out, **options)

    return asked


def same(one, other):
    """Equal to the bit, but for the seconds."""
    assert one.plan.keys() == other.plan.keys()
    assert json.dumps(dict(one.plan)) == json.dumps(dict(other.plan))
    assert one.tables.keys() == other.tables.keys()
    for name, table in one.tables.items():
        pair = [
            each.drop(columns="seconds", errors="ignore") for each in (table, other.tables[name])
        ]
        pd.testing.assert_frame_equal(*pair, check_exact=True)
    assert one.maps.keys() == other.maps.keys()
    for name, image in one.maps.items():
        np.testing.assert_array_equal(image, other.maps[name])
    assert one.provenance.images == other.provenance.images


def by_hand(model, answer, features):
    """The margin as the hand-written decoder gives it, in float64."""
    tokenizer = model.processor.tokenizer
    known = {tokenizer.decode([i]): i for i in range(len(tokenizer))}
    yes, no = (
        [known[s + w] for s in ("", " ") for w in words if s + w in known]
        for words in (("Yes", "yes", "YES"), ("No", "no", "NO"))
    )
    with torch.no_grad():
        logits = decode(model.hf_model, answer.input_ids, features).logits
    row = logits[answer.prompt_length - 1]
    return float(row[yes].logsumexp(0) - row[no].logsumexp(0))


def test_every_number_of_a_row_is_what_the_parts_give(model, answer, table):
    record = answer(maps=True)
    rows = record.tables["rows"]
    given = pd.read_csv(table, dtype=str)
    assert list(rows.columns[: len(given.columns)]) == list(given.columns)
    assert list(rows.columns[len(given.columns) :][:8]) == [
        "row", "answer", "parsed", "truth", "correct", "margin", "problem", "seconds",
    ]  # fmt: skip
    pd.testing.assert_frame_equal(rows[list(given.columns)], given)
    assert len(record.maps) == len(rows) == 12
    films = [load_radiograph(table.parent / "images" / f"film-{i}.png") for i in range(4)]
    for place, swapped in ((0, 2), (7, 0)):
        row, film = rows.iloc[place], films[place // 3]
        own = ask(model, film, given["question"][place], max_new_tokens=TOKENS)
        assert (row["answer"], row["margin"]) == (own.text, own.margin)
        assert row["image_sha256"] == film.sha256
        np.testing.assert_array_equal(
            record.maps[f"row {place}"], explain(model, own, margin=("Yes", "No")).image
        )
        features = soft_tokens(model, own)
        blank = features.mean(0, keepdim=True).expand_as(features)
        # Of the same finding and of the other truth.
        partner = films[row["swapped_row"] // 3]
        assert row["swapped_row"] // 3 == swapped
        other = replace(own, images=(replace(own.images[0], radiograph=partner),))
        # Float32 over six layers against float64.
        assert row["margin"] == pytest.approx(by_hand(model, own, features), abs=2e-4)
        assert row["blank_margin"] == pytest.approx(by_hand(model, own, blank), abs=2e-4)
        assert row["swapped_margin"] == pytest.approx(
            by_hand(model, own, soft_tokens(model, other)), abs=2e-4
        )


def blinded(shape=Shape(layers=1, seed=9)):  # noqa: B008 - frozen
    """A model whose soft tokens are zero whatever the image."""
    model = random_adapter(shape)
    projector = model.hf_model.model.multi_modal_projector
    with torch.no_grad():
        projector.mm_input_projection_weight.zero_()
    return model


def test_a_model_without_sight_comes_out_as_blind(tmp_path):
    table = write_set(tmp_path / "set", films=8)
    record = answer_questions(blinded(), table, images=table.parent / "images", max_new_tokens=1)
    summary = record.tables["summary"]
    of = summary[summary["by"] != "finding"].set_index(["name", "measure"])
    for name in ("", "baseline", "voice change"):
        area = of.loc[name, "auc"]
        assert area["value"] == area["blank"] == area["swapped"] == 0.5
        assert area["low"] <= 0.5 <= area["high"]
        assert of.loc[name, "decision_accuracy"]["value"] == 0.5
        assert of.loc[name, "decision_accuracy"]["swapped"] == 0.5
    rows = record.tables["rows"]
    np.testing.assert_allclose(rows["margin"], rows["blank_margin"], atol=1e-5)


def test_no_replay_is_left_behind_and_open_ones_stay(model, answer, table):
    model.replays.clear()
    film = load_radiograph(table.parent / "images" / "film-0.png")
    opened = ask(model, film, pd.read_csv(table)["question"][0], max_new_tokens=TOKENS)
    answer(maps=True, rows=(0, 4))
    assert model.replays.keys() == (opened.key,)


class Sighted:
    """Says nothing itself: the rows' numbers as a model would give them that sees the truth."""

    def __call__(self, current, row, swapped, questions, check=None):
        digest = questions.pictures.open(row.image).sha256
        sign = 1.0 if row.truth == "yes" else -1.0
        yield
        return Outcome(row.row, digest, row.truth.title(), sign, 0.25, -sign, "", 0.0)


def test_a_model_that_sees_stands_above_its_floors(answer, monkeypatch):
    monkeypatch.setattr(run, "row_steps", Sighted())
    summary = answer().tables["summary"]
    every = summary[summary["by"] == "all"].set_index("measure")
    assert every["value"].tolist() == [1.0] * 5
    assert every["blank"].tolist() == [0.5, 1.0, 0.0, 0.5, 0.5]
    assert every["swapped"].tolist() == [0.0] * 5
    assert set(every["clusters"]) == {2}, "two films are of one patient"


def test_a_run_that_ends_in_a_row_goes_on_and_equals_an_unbroken_one(answer, tmp_path):
    whole = answer(tmp_path / "whole", maps=True)
    out, asked = tmp_path / "broken", []

    class Killed(BaseException):
        pass

    def kill_in_row(row):
        """Raised while the model is at work on the row."""
        calls = []

        def check():
            if len(asked) == row:
                calls.append(1)
                if len(calls) > 6:
                    raise Killed

        return check

    def progress(done, total):
        asked[:] = range(done)

    with pytest.raises(Killed):
        answer(out, maps=True, check=kill_in_row(5), progress=progress)
    with (out / FILE).open("ab") as file:  # the kill came while a line was being written
        file.write(b'{"row":5,"image_sha256":"ab')
    assert len((out / FILE).read_bytes().splitlines()) == 1 + 5 + 1
    (out / ".writing-abc").mkdir()
    told = []
    found = answer(out, maps=True, progress=lambda done, total: told.append((done, total)))
    assert told == [(done, 12) for done in range(5, 13)]
    same(found, whole)
    same(read_record(out), whole)
    assert sorted(one.name for one in out.iterdir()) == sorted(record_files(whole))


def test_a_finished_run_is_read_and_nothing_is_asked_twice(answer, tmp_path, monkeypatch):
    whole = answer(tmp_path / "run")
    monkeypatch.setattr(run, "row_steps", None)
    same(answer(tmp_path / "run"), whole)


def test_a_folder_of_another_run_is_left_alone(answer, table, tmp_path):
    out = tmp_path / "run"

    def stop():
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        answer(out, check=stop)
    with pytest.raises(ResultFileError, match="another table or other options"):
        answer(out, maps=True)
    with pytest.raises(ResultFileError, match="another model"):
        answer(out, model=random_adapter(Shape(layers=1)))
    finished = answer(out)
    with pytest.raises(ResultFileError, match="finished record of something else"):
        answer(out, rows=(0, 3))
    table.write_text(table.read_text() + "film-0.png,,Is there an effusion?,no,,,,\n")
    with pytest.raises(ResultFileError, match="finished record of something else"):
        answer(out)
    same(read_record(out), finished)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(ResultFileError, match="holds no run"):
        answer(tmp_path / "thesis")
    with pytest.raises(ResultFileError, match=r"without \.zip"):
        answer(tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


def test_two_processes_cannot_have_one_run(answer, tmp_path):
    def second():
        with pytest.raises(ResultFileError, match="Another process is at work"):
            answer(tmp_path / "run")
        raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        answer(tmp_path / "run", check=second)


def outcome(row):
    return Outcome(row, "ab", "Yes.", 1.5, math.nan, -0.1, "", 0.2, np.eye(2, dtype=np.float32))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="There is no disk that is always full.")
def test_a_full_disk_is_said_and_keeps_what_is_done(tmp_path):
    with Journal(tmp_path, {}) as journal:
        journal.add(outcome(3))
        journal._file.close()
        journal._file = io.FileIO("/dev/full", "w")
        with pytest.raises(ResultFileError, match=r"No space left.*rows before it are kept"):
            journal.add(outcome(4))
    with Journal(tmp_path, {}) as journal:
        assert journal.done == {3}
        journal.add(outcome(4))
        found, wanted = list(journal.outcomes()), [outcome(3), outcome(4)]
    assert repr(found) == repr(wanted)


def test_a_journal_that_is_damaged_in_the_middle_is_said(tmp_path):
    with Journal(tmp_path, {}) as journal:
        journal.add(outcome(3))
    first, second = (tmp_path / FILE).read_bytes().splitlines(keepends=True)
    for damage in (b"not json\n", b"[]\n", second.replace(b'"shape":[2,2]', b'"shape":[9,2]')):
        (tmp_path / FILE).write_bytes(first + damage + second)
        with pytest.raises(ResultFileError, match="damaged"), Journal(tmp_path, {}):
            raise AssertionError("It was taken for whole.")
    (tmp_path / FILE).write_bytes(first[:20])
    with Journal(tmp_path, {}) as journal:
        assert journal.done == set()


def test_bad_rows_are_said_and_the_rest_is_answered(model, tmp_path, caplog):
    table = write_set(tmp_path / "set", films=2)
    folder = table.parent / "images"
    (folder / "jane-doe.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    given = pd.read_csv(table, dtype=str, keep_default_na=False).to_dict("records")
    given[0] |= {"image_path": "jane-doe.png"}
    given[1] |= {"question": "", "image_path": "gone.png"}
    given[2] |= {"question": "<end_of_turn>"}
    record = answer_questions(
        model, write_table(table, given), images=folder, max_new_tokens=TOKENS
    )
    rows = record.tables["rows"]
    assert (rows["parsed"] != "").tolist() == [False] * 3 + [True] * 3
    assert [math.isnan(value) for value in rows["margin"]] == [True] * 3 + [False] * 3
    assert rows["problem"][1] == "The question is empty. There is no such image in the folder."
    assert "control tag" in rows["problem"][2]
    assert rows["problem"][0]
    assert set(rows["problem"][3:]) == {""}
    assert "jane" not in " ".join(rows["problem"]) + caplog.text
    assert record.tables["summary"]["rows"].iloc[0] == 3


def test_rows_and_folders_that_are_not_there_are_said(answer, table):
    for rows in ((0, 0), (5, 3), (0, 13), (-1, 2)):
        with pytest.raises(TableError, match="has 12 rows"):
            answer(rows=rows)
    with pytest.raises(TableError, match="no folder"):
        answer(images=table.parent / "pictures")
    assert answer(rows=(4, 6)).tables["rows"]["row"].tolist() == [4, 5]
    table.write_text("image_path,question\n")
    with pytest.raises(TableError, match="has no rows"):
        answer()


KILLED = """
import sys, torch
from tests.random_answers import case
from medgemma_dash import answer_questions
answer_questions(case("six layers, heads 8 on 4").model, sys.argv[1], images=sys.argv[2],
                 out=sys.argv[3], maps=True, max_new_tokens=4)
"""


def test_a_process_that_is_killed_loses_no_row_and_does_none_twice(
    answer, model, table, tmp_path, repository
):
    """Takes as long as importing torch in another process does."""
    out = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(table), str(table.parent / "images"), str(out)]
    process = subprocess.Popen(command, cwd=repository)
    ends = time.monotonic() + 240
    while process.poll() is None and time.monotonic() < ends:
        if (out / FILE).exists() and (out / FILE).read_bytes().count(b"\n") >= 4:
            os.kill(process.pid, signal.SIGKILL)
            break
        time.sleep(0.002)
    process.wait()
    assert process.returncode == -signal.SIGKILL
    done = (out / FILE).read_bytes().count(b"\n") - 1
    assert 3 <= done < 12
    told = []
    found = answer(out, maps=True, progress=lambda now, total: told.append(now))
    assert told == list(range(done, 13))
    same(found, answer(maps=True))
