"""A model that says nothing, and a model that is not there, are said so; the rest works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.components.wording import NOTHING_SAID
from medgemma_dash.ui.state.actions import open_radiograph
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import ASK, QUESTION
from tests.app.browser_events import choose_words, click_patch, lines_of, strip_data
from tests.app.opened import PAGES, answered_of, session_of

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


@pytest.mark.parametrize("said", [(), ("",), ("", "")])
@pytest.mark.parametrize("page", PAGES[:-1])
def test_every_page_says_that_the_model_said_nothing(
    open_home: OpenPage, settle: Settle, fake: Any, page: str, said: tuple[str, ...]
) -> None:
    fake.said = said
    app = settle(open_home().switch_page(page).run())
    assert not app.exception
    assert lines_of(app, "nothing_said") == [NOTHING_SAID]


def test_why_it_ended_at_once_is_explained(open_explain: OpenPage, fake: Any) -> None:
    fake.said = ("",)
    app = open_explain()
    assert lines_of(app, "why_sentence")[0].startswith("Why end of answer?")


def test_the_whole_of_an_empty_answer_is_refused_in_words(
    open_explain: OpenPage, fake: Any
) -> None:
    fake.said = ("",)
    app = open_explain()
    before = answered_of(app).explanation
    choose_words(app, 0, 1, whole=True)
    assert not app.exception
    assert "said nothing" in lines_of(app, "notice_line")[0]
    assert answered_of(app).explanation is before
    choose_words(app, 0, 1)
    assert lines_of(app, "notice_line") == []


def test_the_whole_of_an_empty_answer_is_refused_on_the_other_pages(
    open_home: OpenPage, settle: Settle, fake: Any
) -> None:
    fake.said = ("",)
    app = settle(open_home().switch_page("pages/2_Compare.py").run())
    choose_words(app, 0, 1, whole=True, strip="compare_strip")
    assert not app.exception
    assert "said nothing" in lines_of(app, "notice_line")[0]


def test_after_an_empty_answer_another_question_works(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    fake.said = ()
    app = open_explain()
    click_patch(app, 3, 4)
    assert strip_data(app.run())["tokens"] == []
    fake.said = ("Yes", ".", "")
    app.text_input(key=QUESTION).set_value("And now?")
    app.button(key=ASK).click().run()
    settle(app)
    assert not app.exception
    assert lines_of(app, "nothing_said") == []
    assert lines_of(app, "why_sentence")[0].startswith("Why Yes?")


@pytest.mark.parametrize("page", PAGES[:-1])
def test_a_model_that_could_not_be_loaded_is_named_on_every_page(
    open_home: OpenPage, lose_model: Callable[[str], None], page: str
) -> None:
    reason = "No such model. Check MEDGEMMA_DASH_MODEL."
    lose_model(reason)
    app = open_home().switch_page(page).run()
    assert not app.exception
    assert len(lines_of(app, "no_answer")) == 1
    assert reason in lines_of(app, "no_answer")[0]
    assert "Home has a button to try again" in lines_of(app, "no_answer")[0]


def test_an_upload_without_an_answer_asks_for_a_question(open_explain: OpenPage) -> None:
    app = open_explain()
    open_radiograph(session_of(app), samples()[0].film, "Uploaded radiograph")
    app.run()
    assert lines_of(app, "no_answer") == [
        "Ask a question about this radiograph, or choose one above."
    ]
    # The pages that look into an answer lead to where one is asked for.
    for page in PAGES[1:-1]:
        app.switch_page(page).run()
        assert lines_of(app, "no_answer") == [
            "This page looks into an answer, and nothing was asked yet."
        ]
        (link,) = app.get("page_link")
        assert link.proto.page == "Explain"
