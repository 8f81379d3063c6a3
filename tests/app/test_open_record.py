"""A record that somebody gives is shown without its model, or refused with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zipfile import ZIP_DEFLATED

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.record import Record
from medgemma_dash.core.record_files import HEAD, MAPS, record_zip
from medgemma_dash.core.record_files import record_files as files_of
from medgemma_dash.imaging.guarded import decode
from medgemma_dash.imaging.guarded.decode import record_guarded
from medgemma_dash.ui.components import record_box
from medgemma_dash.ui.components.record_frame import ELSEWHERE
from medgemma_dash.ui.shell import entry
from medgemma_dash.ui.state import records
from medgemma_dash.ui.state.records import OpenedRecord
from medgemma_dash.ui.state.session import Session
from tests.app.browser_events import choose_action, choose_words, lines_of, strip_data
from tests.app.opened import answered_of, figure, session_of
from tests.made_records import (
    changed,
    evidence_record,
    hostile,
    make_record,
    read_back,
    same,
    zipped,
)

OpenPage = Callable[[], AppTest]
HTML = '<img src=x onerror="alert(1)">'
WHOLE = record_zip(evidence_record())


def give(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Drop these files at once into the box for records."""
    box = next(one for one in app.file_uploader if one.key.startswith("record_upload_"))
    box.set_value([(name, data, "application/octet-stream") for name, data in files])
    app.run()
    assert not app.exception
    return app


def open_of(app: AppTest) -> Record | None:
    return session_of(app).page_state(OpenedRecord).record


def test_what_was_uploaded_is_what_was_saved() -> None:
    for record in (evidence_record(), make_record()):
        same(record_guarded(record_zip(record)), read_back(record))


def test_evidence_is_shown_word_by_word_and_closed_again(open_home: OpenPage) -> None:
    app = open_home()
    address = dict(session_of(app).address)
    give(app, ("evidence.zip", record_zip(evidence_record())))
    assert lines_of(app, ELSEWHERE) == [
        "Computed elsewhere, by demo, revision 12 (demo model, not MedGemma), on sha256 "
        "abababababab… close it"
    ]
    assert lines_of(app, "evidence_question") == ["Question: Fluid?"]
    assert lines_of(app, "evidence_line")[0].startswith("1 of 2 words need the image")
    data = strip_data(app, "evidence_strip")
    assert [word["mark"] for word in data["words"][:2]] == ["needs the image", "language prior"]
    assert (data["measure"], data["selected"]) == ("image effect", [0, 1])
    assert dict(session_of(app).address) == address
    choose_words(app, 1, 3, strip="evidence_strip")
    app.run()
    assert lines_of(app, "evidence_word_line")[0] == "effusion"
    assert "Language prior" in lines_of(app, "evidence_word_line")[1]
    (table,) = app.dataframe
    assert list(table.value.index) == ["Yes", "effusion"]
    assert table.value["image effect"].tolist() == pytest.approx([2.0, 0.03])
    choose_action(app, ELSEWHERE, "close")
    app.run()
    assert open_of(app) is None
    assert lines_of(app, ELSEWHERE) == []
    assert app.get("bidi_component")
    assert not any(one.key == "evidence_strip" for one in app.get("bidi_component"))


def test_a_figure_of_a_record_is_not_said_to_be_of_the_open_film(open_explain: OpenPage) -> None:
    app = open_explain().switch_page("Home.py").run()
    give(app, ("evidence.zip", record_zip(evidence_record())))
    said = figure(app, "evidence_word_figure")["layout"]["meta"]["caption"]
    assert said[1:3] == ["Film: sha256 abababababab…", "Model: demo, revision 12"]
    assert answered_of(app).answer.prompt not in " ".join(said)


def test_a_folders_files_are_a_record_whatever_else_lies_there(open_home: OpenPage) -> None:
    record = evidence_record()
    others = {"report.html": b"<html>", "../words.parquet": b"", "questions.unfinished.jsonl": b""}
    app = give(open_home(), *(others | files_of(record)).items())
    opened = open_of(app)
    assert opened is not None
    same(opened, read_back(record))


def test_a_record_goes_to_the_page_of_its_kind(
    open_home: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = give(open_home(), ("evidence.zip", WHOLE))
    assert app.get("page_link") == []
    monkeypatch.setattr(entry, "_TITLES", {"evidence": "Methods"})
    assert [link.proto.label for link in app.run().get("page_link")] == [
        "Go on with the opened record"
    ]
    assert lines_of(app, ELSEWHERE) == [], "its page shows it"
    assert "Methods" in [one.value for one in give(app, ("evidence.zip", WHOLE)).title]


def refused(app: AppTest) -> str:
    """Why the record was not opened; nothing stands in its place."""
    (told,) = lines_of(app, "record_problem")
    assert told.startswith("This is not a record that can be opened: ")
    return told


# Of those that are told apart while they are read, the ones that take most of a process.
@pytest.mark.parametrize(
    "case", ["a table of five gigabytes in a small file", "an array of a petabyte", "no JSON"]
)
def test_a_record_made_by_hand_is_refused_with_its_reason(case: str) -> None:
    files, reason = hostile(case)
    with pytest.raises(ResultFileError, match=reason):
        record_guarded(zipped(files))


def test_a_record_that_takes_the_memory_of_its_process_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decode, "DECODE_MEGABYTES", 600)
    large = zipped({"words.parquet": bytes(240 << 20)}, ZIP_DEFLATED)
    with pytest.raises(ResultFileError, match="more memory to decode than one from here does"):
        record_guarded(large)


REFUSED = {
    "cut off": ([("r.zip", WHOLE[: len(WHOLE) // 2])], "no zip file, or was cut off"),
    "of a newer version": ([("r.zip", zipped(changed({"version": [2, 0]})))], "version 2"),
    "a path outside its folder": (
        [("r.zip", zipped(files_of(make_record()) | {"../w.parquet": b""}))], "which no record has",
    ),
    "a picture": ([("film.png", b"\x89PNG\r\n\x1a\n")], "neither a record's zip file nor"),
    "half of a folder": (
        [(HEAD, files_of(make_record())[HEAD]), (MAPS, b"")], "'words.parquet' is missing",
    ),
    "a file twice": ([(HEAD, b"{}"), (HEAD, b"{}")], "two files 'record.json'"),
    "of a kind that is not known": (
        [("r.zip", record_zip(replace(make_record(), kind="script")))], "no report of the kind",
    ),
    "of another kind's tables": ([("r.zip", record_zip(make_record()))], "not those of the kind"),
    "words that are not numbered": (
        [("r.zip", record_zip(evidence_record(word=[0, 5, 1, 2])))], "not those of the kind",
    ),
    "infinite numbers": (
        [("r.zip", record_zip(evidence_record(blank=[np.inf] * 4)))], "not those of the kind",
    ),
    "infinitely many layers": (
        [("r.zip", record_zip(evidence_record(layers_with_access=np.inf)))],
        "not those of the kind",
    ),
    "a page for a word": (
        [("r.zip", record_zip(evidence_record(text=["x" * 10_000] * 4)))], "not those of the kind",
    ),
    "more words than anybody said": (
        [("r.zip", record_zip(replace(make_record(), tables={"words": pd.DataFrame(
            {"token": np.arange(10_001)})})))], "more than 10,000 rows",
    ),
    "a bomb": (
        [("r.zip", zipped({"words.parquet": bytes(300 << 20)}, ZIP_DEFLATED))], "more than 256 MB",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_page_could_show_is_refused_with_its_reason(case: str) -> None:
    files, reason = REFUSED[case]
    with pytest.raises(ResultFileError) as told:
        records.read_uploaded(Session(), files)
    assert reason in str(told.value)


def test_what_is_refused_leaves_everything_as_it_was(open_explain: OpenPage) -> None:
    app = open_explain().switch_page("Home.py").run()
    before = answered_of(app)
    give(app, ("evidence.zip", WHOLE))
    held = open_of(app)
    for case in ("cut off", "of another kind's tables"):
        files, reason = REFUSED[case]
        told = refused(give(app, *files))
        assert reason in told
        assert told.endswith(" The record before it is still open.")
        assert open_of(app) is held
        assert answered_of(app) is before
        assert lines_of(app, "evidence_question") == ["Question: Fluid?"]
        assert all(not one.value for one in app.file_uploader), "the same can be given again"
    assert lines_of(give(app, ("evidence.zip", WHOLE)), "record_problem") == []


def test_more_than_is_taken_is_refused_before_it_is_read(
    open_home: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_FILE_BYTES", 1 << 20)
    half = bytes(600 << 10)
    app = give(open_home(), ("words.parquet", half), ("swaps.parquet", half), (HEAD, b"{}"))
    assert "more than 1 MB" in refused(app)


def test_words_with_markup_stay_text(open_home: OpenPage) -> None:
    record = evidence_record(text=[HTML, "**b**", "![x](http://outside.invalid)", ""],
                             asked={"prompt": HTML, "answer": HTML, "forced": False})  # fmt: skip
    record = replace(record, provenance=replace(record.provenance, model_name=HTML))
    app = give(open_home(), (f"{HTML}.zip", record_zip(record)))
    assert lines_of(app, "evidence_question") == [f"Question: {HTML}"]
    assert HTML not in "".join(str(one.value) for one in app.markdown)
    assert strip_data(app, "evidence_strip")["tokens"][0]["text"] == HTML


def test_a_record_is_opened_though_the_run_that_read_it_was_overtaken(
    open_home: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*arguments: Any) -> Record:
        monkeypatch.setattr(record_box, "read_uploaded", records.read_uploaded)
        st.rerun()

    monkeypatch.setattr(record_box, "read_uploaded", overtaken)
    assert open_of(give(open_home(), ("evidence.zip", WHOLE))) is not None


def test_a_new_session_knows_of_no_record(open_home: OpenPage) -> None:
    give(open_home(), ("evidence.zip", WHOLE))
    app = open_home()
    assert open_of(app) is None
    assert lines_of(app, ELSEWHERE) == lines_of(app, "notice_line") == []


def test_the_answers_evidence_is_taken_home_from_its_popover(
    open_explain: OpenPage,
) -> None:
    app = open_explain()
    choose_words(app, 7, 8)
    app.run()

    def offered() -> list[str]:
        return [one.proto.label for one in app.get("download_button")]

    assert "Record ZIP" not in offered()
    app.session_state["image_need"] = True
    app.run()
    assert offered().count("Record ZIP") == 1
