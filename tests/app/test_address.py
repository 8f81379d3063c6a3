"""What a URL says of a page, and what a page makes of a URL: never another film."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.components import picker
from medgemma_dash.ui.shell import header
from medgemma_dash.ui.state.actions import LONGEST_PROMPT_CHARACTERS, open_radiograph
from medgemma_dash.ui.state.address import QUESTION_KEPT, UPLOAD_GONE
from medgemma_dash.ui.state.host import upload_questions
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import ASK, METHOD, QUESTION
from tests.app.browser_events import choose_words, lines_of
from tests.app.opened import answered_of, session_of, study_of

ROOT = Path(__file__).parents[2]
PAGES = ["pages/1_Explain.py", "pages/2_Compare.py", "pages/3_Layers.py", "pages/8_Methods.py"]
EXPLAIN, METHODS = PAGES[0], PAGES[-1]
HEART = "Is the heart enlarged?"

OpenPage = Callable[[], AppTest]
OpenAt = Callable[..., AppTest]
GoBack = Callable[..., AppTest]


@pytest.fixture
def open_at(host: Any, settle: Callable[[AppTest], AppTest]) -> OpenAt:
    """A new session at a page with an address."""

    def open_it(page: str, **address: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60)
        for name, value in address.items():
            app.query_params[name] = value
        if page != "Home.py":
            app.switch_page(page)
        app.run()
        assert not app.exception
        return settle(app)

    return open_it


@pytest.fixture
def go_back(monkeypatch: pytest.MonkeyPatch, settle: Callable[[AppTest], AppTest]) -> GoBack:
    """What the browser's Back does: the page runs with the address of an earlier entry."""

    def go(app: AppTest, address: dict[str, str]) -> AppTest:
        app.query_params.clear()
        for name, value in address.items():
            app.query_params[name] = value
        with monkeypatch.context() as patch:
            patch.setattr(header, "_by_history", lambda: True)
            # Under a test a page runs without the frame that reads the address.
            app.switch_page("Home.py").run()
        assert not app.exception
        return settle(app.switch_page(EXPLAIN).run())

    return go


def address_of(app: AppTest) -> dict[str, str]:
    return dict(session_of(app).address)


def notice_of(app: AppTest) -> str:
    notice = session_of(app).notice
    return "" if notice is None else notice.text


def upload(app: AppTest, place: int = 0) -> AppTest:
    assert open_radiograph(session_of(app), samples()[place].path.read_bytes(), "Uploaded film")
    return app.run()


def ask(app: AppTest, settle: Callable[[AppTest], AppTest], question: str) -> AppTest:
    app.text_input(key=QUESTION).set_value(question)
    app.button(key=ASK).click().run()
    return settle(app)


@pytest.mark.parametrize("page", ["Home.py", *PAGES])
def test_every_page_honours_sample_question_word_and_method(open_at: OpenAt, page: str) -> None:
    app = open_at(page, sample="cardiomegaly", question="Is it **big**?", word="7-8", method="tam")
    if page in ("Home.py", METHODS):  # which ask nothing themselves
        assert session_of(app).study is not None
        assert study_of(app).answered is None
        app.switch_page(EXPLAIN)
        app.run()
        for job in session_of(app).jobs.unfinished():
            assert job.wait(30)
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
    assert "Chefer is chosen in its place" in notice_of(app)
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


def test_an_upload_leaves_nothing_in_the_address_but_that_it_stood_there(
    open_explain: OpenPage, settle: Callable[[AppTest], AppTest], open_at: OpenAt
) -> None:
    app = ask(upload(open_explain()), settle, "Has Jane Doe pneumonia?")
    marker = study_of(app).marker
    assert address_of(app) == {"film": marker}
    assert study_of(app).radiograph.sha256[:8] not in marker
    again = open_at(EXPLAIN, film=marker)
    assert session_of(again).study is None
    assert "gone" in notice_of(again)
    assert again.text_input(key=QUESTION).value == "Has Jane Doe pneumonia?"
    assert address_of(again) == {"film": marker}
    # Opened again, it is a film like any other, and the question waits in the box.
    upload(again)
    assert session_of(again).missing == ""
    assert again.text_input(key=QUESTION).value == "Has Jane Doe pneumonia?"
    assert study_of(again).answered is None
    assert study_of(again).marker != marker


def test_going_back_brings_film_question_word_and_method_and_computes_nothing(
    open_explain: OpenPage, settle: Callable[[AppTest], AppTest], go_back: GoBack, fake: Any
) -> None:
    app = open_explain()
    choose_words(app, 7, 8)
    app.run()  # a fragment alone was drawn
    first = address_of(app)
    ask(app, settle, HEART)
    second = address_of(app)
    assert second == {"sample": samples()[0].name, "question": HEART}
    fake.computed.clear()
    answers = [answered_of(go_back(app, address)) for address in (first, second, first)]
    opening = samples()[0].question
    assert [one.answer.prompt for one in answers] == [opening, HEART, opening]
    assert answers[0] is answers[2]
    assert answers[0].target is not None
    assert answers[0].target.token_indices == (7,)
    assert fake.computed == []
    go_back(app, {"sample": "cardiomegaly", "method": "tam"})
    assert study_of(app).sample == "cardiomegaly"
    assert app.session_state[METHOD] == "tam"
    go_back(app, first)
    assert study_of(app).sample == samples()[0].name
    assert app.session_state[METHOD] == "chefer"


def test_an_entry_without_a_film_changes_nothing(open_explain: OpenPage, go_back: GoBack) -> None:
    app = open_explain()
    before = answered_of(app)
    assert answered_of(go_back(app, {})) is before


def test_going_back_to_an_upload_brings_that_one_or_says_that_it_is_gone(
    open_explain: OpenPage, settle: Callable[[AppTest], AppTest], go_back: GoBack
) -> None:
    app = ask(upload(open_explain()), settle, "About the first?")
    first, answered = address_of(app), answered_of(app)
    go_back(app, {"sample": "cardiomegaly"})
    assert study_of(app).sample == "cardiomegaly"
    assert answered_of(go_back(app, first)) is answered
    assert session_of(app).question == "About the first?"
    second = address_of(upload(app, 1))
    go_back(app, first)
    assert session_of(app).study is None
    assert "gone" in notice_of(app)
    assert session_of(app).question == "About the first?"
    go_back(app, second)
    assert address_of(app) == second
    assert study_of(app).sample is None


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


def test_an_upload_is_opened_though_the_run_that_read_it_was_overtaken(
    monkeypatch: pytest.MonkeyPatch, open_explain: OpenPage
) -> None:
    def overtaken(*arguments: Any) -> bool:
        monkeypatch.setattr(picker, "open_radiograph", open_radiograph)
        st.rerun()

    app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60).run()
    monkeypatch.setattr(picker, "open_radiograph", overtaken)
    film = samples()[0].path.read_bytes()
    app.file_uploader(key="home_upload_0").set_value(("film", film, "image/png")).run()
    assert study_of(app).radiograph.sha256 == sha256(film).hexdigest()


def test_a_question_that_the_browser_alone_knows_is_kept_and_that_is_said(open_at: OpenAt) -> None:
    app = open_at(EXPLAIN, film="upload")
    assert QUESTION_KEPT not in notice_of(app)
    app.session_state[QUESTION] = "Has **Jane Doe** an effusion?"
    app.run()
    assert session_of(app).question == "Has **Jane Doe** an effusion?"
    # In the same drawing, whatever the model does meanwhile.
    assert lines_of(app, "notice_line") == [f"{UPLOAD_GONE}{QUESTION_KEPT}"]


def test_only_the_newest_questions_about_uploads_are_kept() -> None:
    from medgemma_dash.ui.state.uploads import KEPT, UploadQuestions, new_marker

    questions = UploadQuestions()
    markers = [new_marker() for _ in range(KEPT + 1)]
    for place, marker in enumerate(markers):
        questions.put(marker, f"Is it {place}?")
    assert questions.get(markers[0]) == ""
    assert questions.get(markers[-1]) == f"Is it {KEPT}?"
    assert len(set(markers)) == KEPT + 1


def test_a_session_that_was_lost_is_said_where_its_sample_is_opened_again(
    host: Any, monkeypatch: pytest.MonkeyPatch, open_at: OpenAt
) -> None:
    monkeypatch.setattr(header, "connection_watch", lambda session: "the session before")
    app = open_at(EXPLAIN, sample="cardiomegaly")
    assert lines_of(app, "notice_line") == [header.SESSION_LOST]
    assert answered_of(app).explanation is not None
    # Of an upload it is said that it is gone; a page without a film has lost nothing.
    assert "Open it again" in notice_of(open_at(EXPLAIN, film="upload"))
    assert notice_of(open_at(METHODS)) == ""
    assert upload_questions().get("upload") == ""
