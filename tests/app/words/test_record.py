"""What the Target Words page draws of a record, also of one that was computed elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.record import Record
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.services.words.run import words_plan
from medgemma_dash.ui.components.record_frame import ELSEWHERE
from medgemma_dash.ui.pages.words.quality import shown_number
from medgemma_dash.ui.pages.words.state import BODY, BORDER, CLIP, WordsState
from medgemma_dash.ui.state.samples import samples
from tests.app.browser_events import choose_action, lines_of
from tests.app.opened import figure, session_of
from tests.app.words.conftest import PAGE
from tests.app.words.finding import Finding
from tests.app.words.words_page import array, pictures_of, titles_of, type_words

OpenPage = Callable[[], AppTest]


@pytest.fixture
def record(finding: Finding, makers: Any) -> Record:
    """Of another sample than the one that a page opens with."""
    answer = makers.answer(load_radiograph(samples()[1].film), "Is the heart enlarged?")
    plan = words_plan(answer, ["right", "heart"], ["answer", "prompt"])
    return finding.record(answer, plan)


def opened(app: AppTest, record: Record) -> AppTest:
    """As Home opens one, by a click on another page."""
    from medgemma_dash.ui.state.records import OpenedRecord

    session_of(app).page_state(OpenedRecord).record = record
    return app.switch_page(PAGE).run()


@pytest.mark.parametrize(
    ("measure", "value", "said"),
    [
        ("border", 0.0512, "5.1%"),
        ("border", 0.05, "5%"),
        ("border", 0.12, "12%"),
        ("inside_body", 0.6996, "69.96%"),
        ("entropy", 4.001, "4.001"),
        ("peak_ratio", 5.04, "5.04"),
        ("left", 0.5001, "50%"),
    ],
)
def test_a_number_near_its_target_is_told_from_it(measure: str, value: float, said: str) -> None:
    assert shown_number(measure, value) == said


def test_a_body_share_is_told_from_an_even_maps() -> None:
    assert shown_number("inside_body", 0.8129, 0.8125) == "81.3%"
    assert shown_number("inside_body", 0.8, 0.8125) == "80%"


@pytest.mark.parametrize("switches", [[BODY], [CLIP], [BORDER], [BODY, CLIP, BORDER]])
def test_a_switch_changes_the_picture_and_no_number(
    open_words: OpenPage, switches: list[str]
) -> None:
    app = open_words()
    before, bars = figure(app, "words_maps"), figure(app, "words_quality")
    (table,) = (one.value for one in app.dataframe)
    said = [lines_of(app, key) for key in ("words_say", "words_standing", "words_alike")]
    coloured = pictures_of(app)
    for key in switches:
        app.toggle(key=key).set_value(True)
    app.run()
    after = figure(app, "words_maps")
    assert len(coloured) == 5
    assert all(
        not np.array_equal(array(one), array(other))
        for one, other in zip(coloured, pictures_of(app), strict=True)
    )
    assert figure(app, "words_quality") == bars
    (again,) = (one.value for one in app.dataframe)
    pd.testing.assert_frame_equal(again, table)
    assert said == [lines_of(app, key) for key in ("words_say", "words_standing", "words_alike")]
    # Nor what the pointer is told, nor where the peak is.
    for part in ("customdata", "hovertext"):
        told = [
            [one.get(part) for one in spec["data"] if one["type"] == "scatter"]
            for spec in (before, after)
        ]
        assert told[0] == told[1]
    assert after["layout"]["shapes"] == before["layout"]["shapes"]


def test_a_record_from_a_file_needs_neither_model_nor_film(
    open_home: OpenPage, lose_model: Callable[[str], None], record: Record
) -> None:
    lose_model("No such model.")
    app = opened(open_home(), record)
    assert not app.exception
    assert lines_of(app, ELSEWHERE)[0].startswith("Computed elsewhere, by fake, revision 1")
    assert lines_of(app, "words_asked_elsewhere")[0] == "Asked  Is the heart enlarged?"
    assert titles_of(app) == ["right (answer)", "heart (prompt)"]
    (line,) = lines_of(app, "words_no_film")
    assert record.provenance.images[0][:12] in line
    named = figure(app, "words_maps")["layout"]["meta"]["caption"]
    assert f"Film: sha256 {record.provenance.images[0][:12]}…" in named
    assert app.toggle(key=BODY).disabled
    assert not any(one.key == "words_strip" for one in app.get("bidi_component"))
    assert {one.label for one in app.get("download_button")} == {"Record ZIP", "Report HTML"}


def test_it_lies_on_its_film_where_that_is_open_and_is_closed_again(
    open_words: OpenPage, finding: Finding, record: Record
) -> None:
    app = open_words()
    own = session_of(app).page_state(WordsState).shown
    assert own is not None
    opened(app, own[1])
    assert lines_of(app, ELSEWHERE)
    assert lines_of(app, "words_no_film") == []
    film = figure(app, "words_maps")["layout"]["images"][0]["source"]
    opened(app, record)
    assert lines_of(app, "words_no_film")
    assert figure(app, "words_maps")["layout"]["images"][0]["source"] != film
    # Its file names the record's own film and question, not those of what is open.
    named = figure(app, "words_maps")["layout"]["meta"]["caption"]
    assert f"Film: sha256 {record.provenance.images[0][:12]}…" in named
    assert "Question: Is the heart enlarged?" in named
    choose_action(app, ELSEWHERE, "close")
    assert lines_of(app, ELSEWHERE) == []
    assert len(titles_of(app)) == 5
    assert len(finding.plans) == 1


@pytest.mark.parametrize(
    "broken",
    [
        lambda record: replace(record, tables={}),
        lambda record: replace(record, plan={}),
        lambda record: replace(record, maps={}),
        lambda record: replace(
            record, maps={name: np.full((16, 16), np.inf, "f4") for name in record.maps}
        ),
        lambda record: replace(
            record, tables={**record.tables, "words": record.tables["words"].assign(place="moon")}
        ),
        lambda record: replace(
            record, tables={**record.tables, "words": record.tables["words"].assign(entropy="<b>")}
        ),
    ],
    ids=["no tables", "no plan", "no maps", "infinite", "another place", "no number"],
)
def test_a_record_that_is_none_says_so(
    open_home: OpenPage, record: Record, broken: Callable[[Record], Record]
) -> None:
    app = opened(open_home(), broken(record))
    assert not app.exception
    assert "not those of the kind 'words'" in lines_of(app, "words_unreadable")[0]


def test_what_a_user_or_a_model_wrote_is_shown_as_it_is(
    open_words: OpenPage, finding: Finding, makers: Any
) -> None:
    app = open_words()
    said = ("<b>No</b>", " **it**", " is", "")
    answer = makers.answer(load_radiograph(samples()[1].film), "[x](http://a.b)?", said)
    plan = words_plan(answer, ["<b>No</b>", "**it**"])
    opened(app, finding.record(answer, plan))
    assert not app.exception
    assert titles_of(app) == ["&lt;b&gt;No&lt;/b&gt;", "**it**"]
    assert lines_of(app, "words_asked_elsewhere")[1] == "Answered  <b>No</b> **it** is"
    (table,) = (one.value for one in app.dataframe)
    assert list(table.index) == ["<b>No</b>", "**it**"]


def test_phrases_that_overlap_are_maps_of_their_own_and_stand_in_the_text_once(
    open_words: OpenPage,
) -> None:
    app = type_words(open_words(), "right, lower, RIGHT lower")
    assert titles_of(app) == ["right", "lower", "RIGHT lower"]
    assert lines_of(app, "words_standing")[0].endswith("in the right lower (0.90) zone.")
