"""Where runs of sets are kept, what a set may be given by, and what its figures say."""

import json
import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from medgemma_dash.core.errors import ImageError, ResultFileError, TableError
from medgemma_dash.core.progress import time_in_words
from medgemma_dash.core.record import RecordProvenance
from medgemma_dash.demo.question_set import example_image, example_table
from medgemma_dash.services.datasets.questions.images import ImageNotFoundError
from medgemma_dash.services.datasets.questions.sources import GivenImages
from medgemma_dash.services.questions import kept_runs as kept
from medgemma_dash.services.questions.given import (
    example_set,
    folder_set,
    set_of_run,
    uploaded_set,
)
from medgemma_dash.services.questions.journal import Journal, Outcome
from medgemma_dash.services.questions.question_set import PlanOptions
from medgemma_dash.services.questions.run_folder import identity
from medgemma_dash.services.questions.under_way import RunUnderWay

FACTS = RecordProvenance("demo", "r", True, "cpu", "float32", (), (("torch", "2"),), 0.0)
ABOUT = kept.AboutRun(
    title="Example set", source="example", folder="", input="k", rows=3, to_ask=2, selected=(1, 2),
    maps=True, model="demo", is_demo=True, began="2020-01-01T00:00:00+00:00",
)  # fmt: skip
NAME = "a" * 24


def outcome(row, said="Yes.", margin=1.0):
    return Outcome(row, "ab", said, margin, 0.2, -margin, "", 0.1)


def test_another_table_other_images_options_or_model_have_another_folder(tmp_path):
    given = example_set()

    def name(given=given, facts=FACTS, **options):
        return kept.run_name(identity(facts, given.questions(PlanOptions(**options)).plan),
                             given.key)  # fmt: skip

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    names = [
        name(),
        name(maps=True),
        name(selected=(3, 4)),
        name(facts=replace(FACTS, model_revision="other")),
        name(facts=replace(FACTS, versions=(("torch", "3"),))),
        name(folder_set(example_table(), str(tmp_path / "a"))),
        name(folder_set(example_table(), str(tmp_path / "b"))),
        name(uploaded_set(example_table(), {"synthetic-01.png": b"1"})),
        name(uploaded_set(example_table(), {"synthetic-01.png": b"2"})),
        name(uploaded_set(example_table().replace(b"yes", b"no"), {"synthetic-01.png": b"1"})),
    ]
    assert len(set(names)) == len(names)
    assert name(selected=(4, 3, 3)) == names[2]
    assert name(example_set()) == names[0]


def test_a_run_is_found_again_with_the_rows_that_are_done(tmp_path):
    run = kept.begin_run(tmp_path / "runs", NAME, ABOUT, b"table")
    assert (run.done, run.finished, run.about) == (0, False, ABOUT)
    assert os.stat(run.folder).st_mode & 0o077 == 0, "its owner alone reads it"
    with Journal(run.record, {}) as journal:
        journal.add(outcome(1))
    again = kept.begin_run(tmp_path / "runs", NAME, replace(ABOUT, title="other"), b"other")
    assert (again.done, again.about, again.table.read_bytes()) == (1, ABOUT, b"table")
    older = kept.begin_run(tmp_path / "runs", "b" * 24, replace(ABOUT, began="2019"), b"")
    assert kept.kept_runs(tmp_path / "runs") == [again, older]
    kept.delete_run(tmp_path / "runs", NAME)
    assert kept.kept_runs(tmp_path / "runs") == [older]
    assert kept.kept_runs(tmp_path / "none") == []


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        "[]",
        json.dumps({"version": 1, "title": "Jane"}),
        json.dumps({"version": 1, **vars(ABOUT), "selected": ["x"]}),
        json.dumps({"version": 1, **vars(ABOUT), "rows": "3"}),
        json.dumps({"version": 2, **vars(ABOUT)}),
    ],
)
def test_what_is_no_run_is_passed_over_and_never_deleted_by_a_name_of_its_own(tmp_path, said):
    place = tmp_path / NAME
    place.mkdir()
    (place / "about.json").write_text(said)
    (tmp_path / "thesis").mkdir()
    assert kept.kept_runs(tmp_path) == []
    for name in ("thesis", "../thesis", "", "."):
        with pytest.raises(ResultFileError, match="no run of that name"):
            kept.delete_run(tmp_path, name)
    with pytest.raises(ResultFileError, match="is damaged"):
        kept.begin_run(tmp_path, NAME, ABOUT, b"")


def test_a_disk_that_takes_nothing_is_said(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(ResultFileError, match=r"cannot be kept in .*XDG_CACHE_HOME"):
        kept.begin_run(tmp_path / "runs", NAME, ABOUT, b"")


def test_the_folder_is_the_users_cache(tmp_path, monkeypatch):
    given = kept.runs_folder({"XDG_CACHE_HOME": str(tmp_path)})
    assert given == tmp_path / "medgemma-dash" / "questions"
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    monkeypatch.setattr(kept.sys, "platform", "linux")
    assert kept.runs_folder({}) == tmp_path / ".cache" / "medgemma-dash" / "questions"


def test_a_runs_set_is_given_again_by_the_run_alone_unless_its_images_were_uploads(tmp_path):
    def run(**about):
        name = f"{len(kept.kept_runs(tmp_path / 'runs')):024x}"
        return kept.begin_run(tmp_path / "runs", name, replace(ABOUT, **about), example_table())

    assert set_of_run(run()).key == example_set().key
    (tmp_path / "images").mkdir()
    of_folder = folder_set(example_table(), str(tmp_path / "images"))
    again = set_of_run(run(source="folder", folder=str(tmp_path / "images")))
    assert (again.key, again.table.digest) == (of_folder.key, of_folder.table.digest)
    assert set_of_run(run(source="given")) is None
    with pytest.raises(TableError, match="no folder"):
        set_of_run(run(source="folder", folder=str(tmp_path / "gone")))


def test_uploaded_images_are_found_by_name_and_no_path_leads_anywhere():
    images = GivenImages({"a.png": b"a", "d1.jpg": b"d"})
    assert images.find({"image_path": "files\\p10/../a.png"}) == "a.png"
    assert images.find({"dicom_id": "d1"}) == "d1.jpg"
    assert images.read("a.png") == b"a"
    for row in ({"image_path": "/etc/passwd"}, {"image_path": ".."}, {}):
        with pytest.raises(ImageNotFoundError):
            images.find(row)


def test_the_example_set_is_whole_and_its_films_are_those_of_the_command():
    given = example_set()
    assert (len(given.rows), given.can_be_asked, given.images) == (120, 120, 20)
    assert given.source.read(given.rows[7].image) == example_image("synthetic-02")
    with pytest.raises(ImageNotFoundError):
        given.source.find({"image_path": "../secret.png"})


def test_an_image_that_went_away_is_said_without_its_name(tmp_path):
    (tmp_path / "jane.png").write_bytes(b"")
    given = folder_set(b"question,image\nAny?,jane.png\n", str(tmp_path))
    (tmp_path / "jane.png").unlink()
    with pytest.raises(ImageError, match=r"cannot be read: No such file") as told:
        given.source.read(given.rows[0].image)
    assert "jane" not in str(told.value)


def test_scores_grow_by_looks_that_are_rarer_the_more_rows_are_done(monkeypatch):
    run = RunUnderWay("run", example_set().questions(PlanOptions()), FACTS)
    assert run.so_far() is None
    looks = []
    for row in range(120):
        run.add(outcome(row))
        if run.has_news:
            looks.append(row + 1)
            run._rows = row + 1
    assert looks[:6] == [1, 2, 3, 4, 5, 6]
    assert len(looks) < 26
    assert looks[-1] > 100
    run._rows = 0
    record = run.so_far()
    assert len(record.tables["rows"]) == 120
    assert run.so_far() is record, "nothing is computed twice"
    assert np.isfinite(record.tables["summary"]["value"]).any()


def test_a_run_that_ended_shows_every_row_that_it_did():
    run = RunUnderWay("run", example_set().questions(PlanOptions()), FACTS)
    for row in range(20):
        run.add(outcome(row))
    assert len(run.so_far().tables["rows"]) == 20
    run.add(outcome(20))
    assert len(run.so_far().tables["rows"]) == 20, "until it is worth another look"
    run.belongs_to(SimpleNamespace(finished=True))
    assert len(run.so_far().tables["rows"]) == 21


def test_time_is_told_as_a_person_says_it():
    told = [time_in_words(seconds) for seconds in (4.0, 89.0, 600.0, 9000.0)]
    assert told == ["4 s", "89 s", "10 min", "2.5 h"]
