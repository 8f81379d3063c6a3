"""Going back brings what stood there, and computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import METHOD
from tests.app.address.addressed import HEART, GoBack, OpenPage, address_of, notice_of, upload
from tests.app.browser_events import choose_words
from tests.app.opened import answered_of, ask, session_of, study_of


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
