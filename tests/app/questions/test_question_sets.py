"""The Question Sets page: a set is asked, kept, gone on with, looked into, and opened anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.demo.question_set import example_files, example_table
from medgemma_dash.services.questions.kept_runs import kept_runs, runs_folder
from medgemma_dash.services.questions.question_set import PlanOptions, read_questions
from medgemma_dash.services.questions.run import run_through
from medgemma_dash.ui.pages.questions.state import QuestionsState, runs_under_way
from medgemma_dash.ui.state.records import OpenedRecord
from tests.app.browser_events import choose_action, choose_point, lines_of
from tests.app.fake_model import MODEL
from tests.app.opened import charts, figure, session_of
from tests.app.questions.answering import Answering, click, finish_runs

OpenPage = Callable[[], AppTest]


def state_of(app: AppTest) -> QuestionsState:
    return session_of(app).page_state(QuestionsState)


def ask_all(app: AppTest) -> AppTest:
    return finish_runs(app.button(key="questions_ask_all").click().run())


def test_the_example_set_is_asked_by_one_click_as_the_command_asks_it(
    open_questions: OpenPage, answering: Answering, tmp_path: Path
) -> None:
    app = open_questions()
    assert [one.label for one in app.button if one.key == "questions_ask_all"] == [
        "Ask all 120 questions"
    ]
    assert not charts(app), "nothing was asked yet"
    assert answering.asked == []
    ask_all(app)
    record = state_of(app).record
    assert record is not None
    assert set(charts(app)) == {"questions_scores", "questions_by_finding"}
    said = lines_of(app, "questions_sentence")[0]
    assert said.startswith("97% of 120 answers are right; without the image")
    assert "So they rest on the image" in said

    for name, data in example_files():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    typed = read_questions(tmp_path / "questions.csv", tmp_path / "images", PlanOptions(maps=True))
    command = run_through(MODEL, typed)
    assert dict(record.plan) == dict(command.plan)
    for name, table in command.tables.items():
        one, other = (
            # The same films by other names: what the fake says of them is named by these.
            each.drop(columns=["seconds", "image_sha256"], errors="ignore")
            for each in (record.tables[name], table)
        )
        pd.testing.assert_frame_equal(one, other)


def test_what_the_filters_leave_is_asked_alone(
    open_questions: OpenPage, answering: Answering
) -> None:
    app = open_questions()
    app.multiselect(key="questions_finding_1").set_value(["nodule"]).run()
    app.text_input(key="questions_words_1").set_value("SIGNS").run()
    app.button(key="questions_ask_some").click().run()
    finish_runs(app)
    record = state_of(app).record
    assert record is not None
    rows = record.tables["rows"]
    assert len(rows) == 4
    assert rows["row"].tolist() == list(record.plan["selected"]) == answering.asked
    assert set(rows["finding"]) == {"nodule"}


def test_a_run_that_was_cancelled_or_whose_server_ended_goes_on_and_asks_no_row_twice(
    open_questions: OpenPage, answering: Answering
) -> None:
    answering.stop_before = 50
    app = open_questions()
    app.button(key="questions_ask_all").click().run()
    (run,) = runs_under_way().active()
    while len(answering.asked) < 50:
        assert not run.job.wait(0.02)
    app.run()
    assert "50 of 120" in lines_of(app, "questions_progress")[0]
    assert "also when this page is closed" in lines_of(app, "questions_progress")[0]
    assert {"questions_scores"} < set(charts(app)), "scores grow while it runs"
    # A closed page ends nothing.
    session_of(app).forget()
    assert not run.job.finished

    another = open_questions()
    assert state_of(another).run == run.name
    choose_action(another, "questions_progress", "cancel")
    assert run.job.wait(30)
    another.run()
    assert "50 of 120 rows are done and kept" in lines_of(another, "questions_ended")[0]

    runs_under_way.clear()  # as a server that was started again
    last = open_questions()
    assert lines_of(last, "questions_unfinished") == [
        "A run of this set was ended; 50 of 120 rows are kept. go on"
    ]
    answering.gate.set()
    choose_action(last, "questions_unfinished", "on")
    finish_runs(last)
    assert answering.asked == list(range(120))
    assert len(state_of(last).record.tables["rows"]) == 120  # type: ignore[union-attr]
    runs_under_way.clear()
    again = open_questions()
    assert charts(again), "a finished run is shown, and nothing is asked"
    assert answering.asked == list(range(120))


def test_every_bar_and_number_leads_to_its_rows(open_questions: OpenPage) -> None:
    app = ask_all(open_questions())

    def behind(key: str, cells: list[list[object]] | None = None, place: int = 0) -> set[int]:
        if cells is None:
            choose_point(app, f"{key}_chart", place)
        else:
            chosen = {"rows": [], "columns": [], "cells": cells}
            click(app, f"{key}_cells", {"selection": chosen})
        found = state_of(app).behind
        assert found is not None
        return set(found.rows)

    assert behind("questions_scores", place=0) == set(range(120))
    assert behind("questions_confusion", [[0, "said no"]]) == {101, 107}
    names = figure(app, "questions_by_finding")["layout"]["yaxis"]["ticktext"]
    nodule = behind("questions_by_finding", place=names.index("nodule"))
    assert nodule == set(range(96, 120))
    assert "24 rows behind Accuracy of nodule. show all" in lines_of(app, "questions_behind")
    choose_action(app, "questions_behind", "all")
    assert state_of(app).behind is None
    # The same number again: its table was made anew, so that it is chosen and not let go.
    app.run()
    choose_point(app, "questions_by_finding_chart-1", 0)
    assert len(state_of(app).behind.rows) == 24  # type: ignore[union-attr]

    app.session_state["questions_part"] = "Phrasings"
    app.run()
    assert behind("questions_changes", [[1, "yes to no"]]) == {96, 101, 102, 107}
    app.session_state["questions_part"] = "Maps"
    app.run()
    assert "where it holds" in lines_of(app, "questions_part_sentence")[0]
    titles = figure(app, "questions_maps_figure")["layout"]["yaxis"]["ticktext"]
    flips = behind("questions_maps_figure", place=titles.index("withheld, answer flips"))
    assert flips == {96, 101, 102, 107, 108, 113, 114, 119}


def test_a_record_from_elsewhere_is_shown_without_a_model(
    open_questions: OpenPage, lose_model: Callable[[str], None], answering: Answering
) -> None:
    app = ask_all(open_questions())
    record = state_of(app).record
    assert record is not None
    lose_model("No such model.")
    runs_under_way.clear()

    fresh = open_questions()
    session_of(fresh).page_state(OpenedRecord).record = record
    fresh.run()
    assert not fresh.exception
    assert "Computed elsewhere" in lines_of(fresh, "computed_elsewhere")[0]
    assert "questions_scores" in charts(fresh)
    state_of(fresh).to_open = 3
    fresh.run()
    assert "film of row 3 is not at hand" in lines_of(fresh, "questions_problem")[0]
    assert "questions_row_map" in charts(fresh)


def test_what_cannot_be_opened_is_said_and_the_open_set_stays(
    open_questions: OpenPage, tmp_path: Path, answering: Answering
) -> None:
    app = open_questions()
    app.session_state["questions_opener_1"] = True
    app.run()

    def give(data: bytes, folder: str) -> str:
        app.file_uploader[0].set_value(("jane doe.csv", data, "text/csv")).run()
        app.text_input(key="questions_folder_1").set_value(folder).run()
        app.button(key="questions_open").click().run()
        return " ".join(lines_of(app, "questions_unopened"))

    table = example_table()
    assert "no absolute path" in give(table, "images")
    assert lines_of(app, "questions_problem") == [], "it is said once, where the table is chosen"
    assert "no folder" in give(table, str(tmp_path / "none"))
    assert "no column `question`" in give(b"a,b\n1,2\n", str(tmp_path))
    assert "2 columns for 'question'" in give(b"Question,QUESTION,image\n1,2,3\n", str(tmp_path))
    assert "is a workbook" in give(b"PK\x03\x04 of Excel", str(tmp_path))
    assert "has no row" in give(b"question,image\n", str(tmp_path))
    assert state_of(app).opened == 1
    folder = tmp_path / "images"
    folder.mkdir()
    give("question;image\nM\xfcller?;a.png\n;b.png\n".encode("cp1252"), str(folder))
    assert state_of(app).opened == 2
    assert not [one for one in app.button if one.key == "questions_ask_all" and not one.disabled]
    assert "read as Windows-1252" in lines_of(app, "questions_encoding")[0]
    problems = lines_of(app, "questions_problem_lines")
    assert problems == [
        "row 0: There is no such image in the folder.",
        "row 1: The question is empty. There is no such image in the folder.",
    ]


def test_a_run_is_deleted_by_two_clicks_and_says_nothing_of_where_others_reach_the_server(
    open_questions: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = ask_all(open_questions())
    (run,) = kept_runs(runs_folder())
    assert json.loads((run.folder / "about.json").read_text()) == {"version": 1} | {
        **asdict(run.about), "selected": [],
    }  # fmt: skip
    app.session_state["questions_runs_1"] = True
    app.run()
    assert str(runs_folder()) in lines_of(app, "runs_place")[0]
    choose_action(app, f"run_{run.name}", "ask")
    assert kept_runs(runs_folder()) == [run]
    choose_action(app, f"run_{run.name}", "delete")
    assert kept_runs(runs_folder()) == []
    assert not run.folder.exists()
    assert state_of(app).record is None
