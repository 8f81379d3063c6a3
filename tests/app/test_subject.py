"""What every page says it is about, what was asked before, and what stands of the answer before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.notices import DEMO_ON_UPLOAD
from medgemma_dash.ui.components.history_list import HISTORY
from medgemma_dash.ui.components.previous_answer import PREVIOUS
from medgemma_dash.ui.state.actions import open_radiograph, open_sample
from medgemma_dash.ui.state.history import History
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import ASK, METHOD, QUESTION
from tests.app.browser_events import actions_of, choose_action, choose_words, lines_of
from tests.app.opened import PAGES, answered_of, session_of, study_of

OPENING = samples()[0].question
HEART = "Is the heart enlarged?"
MARKUP = "Is **this** <img src=x> [it](http://a.b)?"

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


def ask(app: AppTest, settle: Settle, question: str) -> AppTest:
    app.text_input(key=QUESTION).set_value(question)
    app.button(key=ASK).click().run()
    return settle(app)


def upload(app: AppTest) -> AppTest:
    assert open_radiograph(session_of(app), samples()[0].film.read_bytes(), "Uploaded film")
    return app.run()


def subject_of(app: AppTest) -> dict[str, str]:
    line = next(one for one in app.get("bidi_component") if one.key == "subject_line")
    data = json.loads(line.proto.json)
    assert data["picture"].startswith("data:image/jpeg;base64,")
    return {part["name"]: part["text"] for part in data["parts"]}


@pytest.mark.parametrize(
    ("page", "method"),
    [
        (PAGES[0], "Chefer"),
        (PAGES[1], "6 methods"),
        (PAGES[2], "attention of each layer and head"),
        (PAGES[3], "Chefer, step by step"),
        (PAGES[4], "Chefer"),
        (PAGES[5], "Chefer, of the margin"),
        (PAGES[6], "Chefer"),
        (PAGES[7], "Chefer"),
    ],
)
def test_every_page_names_film_question_word_method_and_model(
    open_explain: OpenPage, settle: Settle, page: str, method: str
) -> None:
    app = ask(open_explain(), settle, MARKUP)
    app.switch_page(page).run()
    assert subject_of(app) == {
        "film": samples()[0].title,
        "question": MARKUP,
        "word": "consolidation",
        "method": method,
        "model": "demo model",
    }
    # Nowhere is it read as Markdown or HTML.
    drawn = [*app.markdown, *app.caption, *app.get("html")]
    assert not [one for one in drawn if "<img src=x>" in str(one.value)]


def test_an_upload_is_named_by_size_and_digest_and_the_word_follows_each_click(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = ask(upload(open_explain()), settle, HEART)
    film = study_of(app).radiograph
    size = f"{film.width} x {film.height}"
    assert subject_of(app)["film"] == f"Uploaded film, {size}, sha256 {film.sha256[:8]}…"
    assert subject_of(app)["word"] == "Yes"
    assert subject_of(choose_words(app, 7, 8))["word"] == "right"


def test_the_demo_models_worth_is_said_beside_its_answer_about_an_upload_alone(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    assert lines_of(app, "demo_on_upload") == []
    upload(app)
    assert lines_of(app, "demo_on_upload") == []
    fake.hold.clear()
    app.text_input(key=QUESTION).set_value(HEART)
    app.button(key=ASK).click().run()
    assert lines_of(app, "demo_on_upload") == [DEMO_ON_UPLOAD]
    fake.hold.set()
    settle(app)
    for page in PAGES[:-1]:
        assert lines_of(app.switch_page(page).run(), "demo_on_upload") == [DEMO_ON_UPLOAD]


def test_evidence_of_the_previous_answer_is_marked_until_the_new_one_is_there(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    assert lines_of(app, PREVIOUS) == []
    fake.hold.clear()
    app.text_input(key=QUESTION).set_value(HEART)
    app.button(key=ASK).click().run()
    assert len(lines_of(app, PREVIOUS)) == 1
    assert "of the previous answer" in lines_of(app, PREVIOUS)[0]
    assert subject_of(app)["question"] == HEART
    assert "word" not in subject_of(app)
    # An empty question is refused; what the page waits for is still the one before it.
    app.text_input(key=QUESTION).set_value(" ")
    app.button(key=ASK).click().run()
    assert subject_of(app)["question"] == HEART
    fake.hold.set()
    settle(app)
    assert lines_of(app, PREVIOUS) == []


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ((" There", " is", " a", " nodule", ".", ""), "nodule"),
        (("Yes", ",", " there", ""), "Yes"),
        (("\n", "No", ".", ""), "No"),
        ((" There", " it", " is", ".", ""), "There"),
        (("...", ""), "this answer"),
    ],
)
def test_the_first_word_that_is_explained_says_something(
    open_explain: OpenPage, settle: Settle, fake: Any, said: tuple[str, ...], word: str
) -> None:
    fake.said = said
    assert subject_of(ask(upload(open_explain()), settle, HEART))["word"] == word


def test_every_answer_is_one_click_away_and_nothing_is_computed_again(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    assert lines_of(app, HISTORY) == []
    choose_words(app, 7, 8)
    app.run()  # a fragment alone was drawn
    first = answered_of(app)
    ask(app, settle, HEART)
    app.session_state[METHOD] = "attnlrp"
    settle(app.run())
    second = answered_of(app)
    assert lines_of(app, HISTORY)[0].startswith(HEART)
    assert actions_of(app, HISTORY) == [first.answer.key]
    # Whatever page is looked at meanwhile.
    app.switch_page(PAGES[-1]).run()
    app.switch_page(PAGES[0]).run()
    fake.computed.clear()
    fake.ask_error = AssertionError("It is asked again.")
    for answered, word, method in (
        (first, "right", "Chefer"),
        (second, "consolidation", "AttnLRP"),
    ):
        settle(choose_action(app, HISTORY, answered.answer.key))
        assert answered_of(app) is answered
        assert subject_of(app)["word"] == word
        assert subject_of(app)["method"] == method
        assert app.text_input(key=QUESTION).value == answered.answer.prompt
    assert fake.computed == []
    open_sample(session_of(app), samples()[1])
    assert len(study_of(app).history) == 0


def test_a_word_that_was_awaited_is_explained_when_its_answer_is_shown_again(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = ask(open_explain(), settle, HEART)
    first, second = reversed(list(study_of(app).history))
    fake.hold.clear()
    choose_words(app, 8, 9)
    choose_action(app.run(), HISTORY, first.answer.key)
    fake.hold.set()
    settle(app)
    assert answered_of(app) is first
    settle(choose_action(app, HISTORY, second.answer.key))
    assert answered_of(app) is second
    assert second.explanation is not None
    assert second.explanation.target.token_indices == (8,)


def test_an_answer_that_was_let_go_is_said(open_explain: OpenPage, settle: Settle) -> None:
    app = open_explain()
    study_of(app).history = History(budget_bytes=1)
    for question in (HEART, "Is it one?", "Is it two?"):
        ask(app, settle, question)
    assert lines_of(app, HISTORY)[-1] == "2 earlier answers were let go to spare memory."
    assert actions_of(app, HISTORY) == []
    assert answered_of(app).explanation is not None
