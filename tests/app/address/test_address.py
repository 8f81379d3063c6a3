"""What a URL says of a page, and what a page makes of a URL: never another film."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.target import Against
from medgemma_dash.ui.components.connection_watch import Returned
from medgemma_dash.ui.shell import header
from medgemma_dash.ui.state.actions import LONGEST_PROMPT_CHARACTERS
from medgemma_dash.ui.state.address import search_of
from medgemma_dash.ui.state.host import upload_questions
from medgemma_dash.ui.state.methods import COMPARED, FIRST_COMPARED
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import ASK, METHOD, QUESTION
from tests.app.address.addressed import (
    EXPLAIN,
    HEART,
    METHODS,
    PAGES,
    GoBack,
    OpenAt,
    OpenPage,
    address_of,
    notice_of,
)
from tests.app.browser_events import choose_words, lines_of
from tests.app.opened import answered_of, session_of, study_of, wait_for


@pytest.mark.parametrize("page", ["Home.py", *PAGES])
def test_every_page_honours_sample_question_word_and_method(open_at: OpenAt, page: str) -> None:
    app = open_at(page, sample="cardiomegaly", question="Is it **big**?", word="7-8", method="tam")
    if page in ("Home.py", METHODS):  # which ask nothing themselves
        assert session_of(app).study is not None
        assert study_of(app).answered is None
        app.switch_page(EXPLAIN)
        app.run()
        wait_for(session_of(app).jobs.unfinished())
        app.run()
    assert study_of(app).sample == "cardiomegaly"
    answered = answered_of(app)
    assert answered.answer.prompt == "Is it **big**?"
    assert answered.target is not None
    assert answered.target.token_indices == (7, 8)
    assert app.session_state[METHOD] == "tam"
    assert address_of(app) == {
        "sample": "cardiomegaly",
        "question": "Is it **big**?",
        "word": "7-8",
        "method": "tam",
    }
    assert session_of(app).notice is None


def test_the_compared_methods_stand_in_the_address_and_unknown_ones_are_said(
    open_at: OpenAt,
) -> None:
    app = open_at("pages/2_Compare.py", sample="cardiomegaly", methods="rollout,chefferr,legrad")
    assert app.session_state[COMPARED] == ["rollout", "legrad"]
    assert "do not exist: “chefferr”" in notice_of(app)
    assert address_of(app)["methods"] == "rollout,legrad"
    assert search_of(address_of(app)) == "sample=cardiomegaly&methods=rollout,legrad"
    app.session_state[COMPARED] = list(FIRST_COMPARED)
    app.run()
    assert "methods" not in address_of(app)


@pytest.mark.parametrize("page", PAGES[:-1])
def test_a_contrast_is_honoured_on_every_page_with_an_answer(open_at: OpenAt, page: str) -> None:
    address = {"sample": "cardiomegaly", "word": "7", "against": "9001"}
    app = open_at(page, **address)
    target = answered_of(app).target
    assert target is not None
    assert (target.token_indices, target.against) == ((7,), Against(9001, " mid"))
    assert address_of(app) == address
    assert session_of(app).notice is None


def test_back_leads_from_a_contrast_to_the_word_alone(
    open_explain: OpenPage, go_back: GoBack
) -> None:
    app = go_back(open_explain(), {"sample": "cardiomegaly", "word": "7", "against": "9001"})
    assert lines_of(app, "why_sentence")[0].startswith("Why right rather than mid?")
    go_back(app, {"sample": "cardiomegaly", "word": "7"})
    assert lines_of(app, "why_sentence")[0].startswith("Why right? ")
    assert address_of(app) == {"sample": "cardiomegaly", "word": "7"}


@pytest.mark.parametrize(
    ("word", "against", "said"),
    [
        ("7", "5", "token 5, which did not come next there. Allowed: 9001 (“mid”)."),
        ("7-8", "9001", "2 tokens against token 9001"),
        ("all", "9001", "only one can be held against another"),
        ("7", "mid", "“mid”. Allowed is the id of a token"),
    ],
)
def test_a_contrast_that_cannot_be_is_said(
    open_at: OpenAt, word: str, against: str, said: str
) -> None:
    app = open_at(EXPLAIN, sample="cardiomegaly", word=word, against=against)
    assert said in notice_of(app)
    explanation = answered_of(app).explanation
    assert explanation is not None
    assert explanation.target.against is None
    assert address_of(app) == {"sample": "cardiomegaly", "word": word}


def test_what_is_the_default_stands_in_no_address(open_explain: OpenPage) -> None:
    app = open_explain()
    assert address_of(app) == {"sample": samples()[0].name}
    choose_words(app, 7, 8)
    assert address_of(app) == {"sample": samples()[0].name, "word": "7"}
    choose_words(app, 0, 12, whole=True)
    assert address_of(app) == {"sample": samples()[0].name, "word": "all"}


def test_everything_that_is_wrong_is_said_and_the_rest_honoured(open_at: OpenAt) -> None:
    app = open_at(EXPLAIN, sample="cardiomegaly", word="40", method="chefferr")
    assert study_of(app).sample == "cardiomegaly"
    assert "“chefferr”" in notice_of(app)
    assert "Chefer takes its place where one word is explained" in notice_of(app)
    assert not any(name in notice_of(app) for name in ("_", "attnlrp"))  # as nobody calls them
    assert "word 40" in notice_of(app)
    assert "0 to 11" in notice_of(app)
    assert app.session_state[METHOD] == "chefer"
    assert answered_of(app).explanation is not None


def test_what_was_wrong_with_an_address_is_said_until_the_reader_chooses(
    open_at: OpenAt, settle: Callable[[AppTest], AppTest], go_back: GoBack
) -> None:
    app = open_at(EXPLAIN, sample="cardiomegaly", method="chefferr")
    assert "“chefferr”" in lines_of(app, "notice_line")[0]
    app.session_state["method_popover"] = True
    app.run()
    assert "“chefferr”" in notice_of(app)
    app.selectbox(key=METHOD).set_value("tam").run()
    assert lines_of(settle(app), "notice_line") == []
    assert address_of(app) == {"sample": "cardiomegaly", "method": "tam"}

    app = open_at(EXPLAIN, sample="none")
    assert "“none”" in notice_of(app)
    app.button(key=f"switch_{samples()[0].name}").click().run()
    assert lines_of(settle(app), "notice_line") == []
    assert address_of(app) == {"sample": samples()[0].name}

    go_back(app, {"sample": "none"})
    assert "“none”" in notice_of(app)
    go_back(app, {"sample": "cardiomegaly"})
    assert lines_of(app, "notice_line") == []


@pytest.mark.parametrize("word", ["x", "-1", "4-2", "4-", "1e3", "٣", "9" * 5000])
def test_a_word_that_is_no_number_is_said(open_at: OpenAt, word: str) -> None:
    app = open_at(EXPLAIN, sample="cardiomegaly", word=word)
    assert "Allowed are a number from 0" in notice_of(app)
    assert len(notice_of(app)) < 300
    assert answered_of(app).explanation is not None


def test_a_question_is_as_long_as_the_box_allows_and_no_longer(open_at: OpenAt) -> None:
    long = "a" * (LONGEST_PROMPT_CHARACTERS + 1)
    app = open_at(EXPLAIN, sample="cardiomegaly", question=long)
    assert "4,001 characters" in notice_of(app)
    assert answered_of(app).answer.prompt == HEART
    app = open_at(EXPLAIN, sample="cardiomegaly", question=long[1:])
    assert answered_of(app).answer.prompt == long[1:]


@pytest.mark.parametrize("page", ["Home.py", *PAGES])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"sample": "<b>none</b>"}, "shows those that do"),
        ({"film": "secret.dcm"}, "there is none of that name"),
        ({"film": "upload"}, "Open it again"),
        ({"film": "upload-0123456789abcdef", "sample": "cardiomegaly"}, "Open it again"),
    ],
)
def test_no_page_shows_another_film_than_the_address_names(
    open_at: OpenAt, fake: Any, page: str, address: dict[str, str], said: str
) -> None:
    app = open_at(page, **address, question=HEART)
    assert session_of(app).study is None
    assert said in notice_of(app)
    assert said in lines_of(app, "notice_line")[0]
    assert session_of(app).question == HEART
    for other in PAGES:
        app.switch_page(other).run()
        assert session_of(app).study is None
        assert len(app.get("file_uploader")) == (other != METHODS)
    app.switch_page(EXPLAIN).run()
    assert app.text_input(key=QUESTION).value == HEART
    app.button(key=ASK).click().run()
    assert session_of(app).study is None
    assert "Open a radiograph first" in notice_of(app)
    assert session_of(app).question == HEART


def test_an_address_is_honoured_though_the_run_that_read_it_was_overtaken(
    monkeypatch: pytest.MonkeyPatch, open_at: OpenAt
) -> None:
    runs: list[str] = []

    def overtaken_once(*arguments: Any, **options: Any) -> None:
        runs.append(arguments[1].get("sample", ""))
        if len(runs) == 1:
            st.rerun()
        honour(*arguments, **options)
        if len(runs) == 2:
            st.rerun()

    honour = header.honour
    monkeypatch.setattr(header, "honour", overtaken_once)
    app = open_at(EXPLAIN, sample="cardiomegaly", word="x")
    assert study_of(app).sample == "cardiomegaly"
    assert notice_of(app).count("“x”") == 1
    assert len(runs) == 3
    app.run()
    assert len(runs) == 3


def test_a_session_that_was_lost_is_said_where_its_sample_is_opened_again(
    host: Any, monkeypatch: pytest.MonkeyPatch, open_at: OpenAt
) -> None:
    def come_back(search: str) -> None:
        page = Returned("the session before", search)
        monkeypatch.setattr(header, "connection_watch", lambda session: page)

    come_back("?sample=cardiomegaly")
    app = open_at(EXPLAIN, sample="cardiomegaly")
    assert lines_of(app, "notice_line") == [header.SESSION_LOST]
    assert answered_of(app).explanation is not None
    # Of an upload it is said that it is gone, whatever the page was once opened with.
    come_back("?film=upload")
    assert "Open it again" in notice_of(open_at(EXPLAIN, sample="cardiomegaly"))
    # A page without a film has lost nothing.
    come_back("")
    assert notice_of(open_at(METHODS)) == ""
    assert upload_questions().get("upload") == ""
