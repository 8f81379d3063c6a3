"""What the Explain page says of a word's need for the image, while and after it is found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.evidence.tasks import EVIDENCE
from medgemma_dash.ui.pages.explain.evidence_panel import SENTENCE
from medgemma_dash.ui.pages.explain.image_need import UNWEIGHED
from medgemma_dash.ui.state.session import ASK, QUESTION
from tests.app.browser_events import choose_action, choose_words, lines_of, strip_data
from tests.app.opened import answered_of, figure, session_of

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


def test_every_word_is_weighed_as_soon_as_the_answer_stands(open_explain: OpenPage) -> None:
    app = open_explain()
    assert not app.exception
    data = strip_data(app)
    assert [token["effect"] for token in data["tokens"]] == [0.0, 3.0] * 6
    assert [word["mark"] for word in data["words"]] == ["language prior", "needs the image"] * 6


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ((8, 9), "Language prior: its p is still 0.98 with a blank image (0.98 with the image)."),
        ((7, 8), "It needs the image: its p falls from 0.98 to 0.05 with a blank image."),
    ],
)
def test_the_sentence_says_whether_the_chosen_word_needed_it(
    open_explain: OpenPage, span: tuple[int, int], said: str
) -> None:
    app = open_explain()
    choose_words(app, *span)
    assert lines_of(app.run(), SENTENCE)[-1].startswith(said)


def test_of_the_whole_answer_the_words_that_need_it_are_counted(open_explain: OpenPage) -> None:
    app = open_explain()
    choose_words(app, 0, 12, whole=True)
    assert lines_of(app.run(), SENTENCE)[-1] == "4 of its 9 words need the image."


def test_it_can_be_stopped_and_begun_again_and_the_map_stays(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    fake.hold_evidence.clear()
    app.text_input(key=QUESTION).set_value("Is the heart enlarged?")
    app.button(key=ASK).click().run()
    while session_of(app).jobs.get(EVIDENCE) is None:
        app.run()
    assert answered_of(app.run()).explanation is not None
    assert "Weighing" in lines_of(app, f"cancel_{EVIDENCE}")[0]
    job = session_of(app).jobs.get(EVIDENCE)
    choose_action(app, f"cancel_{EVIDENCE}", "cancel")
    assert job is not None
    assert job.wait(30)
    app.run()
    assert answered_of(app).evidence is None
    assert "not weighed" in lines_of(app, UNWEIGHED)[0]
    assert EVIDENCE not in session_of(app.run()).jobs, "what was stopped stays stopped"
    fake.hold_evidence.set()
    choose_action(app, UNWEIGHED, "again")
    settle(app.run())
    assert answered_of(app).evidence is not None
    assert lines_of(app, UNWEIGHED) == []


def test_another_question_ends_it(open_explain: OpenPage, settle: Settle, fake: Any) -> None:
    app = open_explain()
    before = answered_of(app)
    fake.hold_evidence.clear()
    app.text_input(key=QUESTION).set_value("Is the heart enlarged?")
    app.button(key=ASK).click().run()
    while session_of(app).jobs.get(EVIDENCE) is None:
        app.run()
    waiting = session_of(app).jobs.get(EVIDENCE)
    app.text_input(key=QUESTION).set_value("Is there an effusion?")
    app.button(key=ASK).click().run()
    fake.hold_evidence.set()
    settle(app)
    assert waiting is not None
    assert waiting.error is not None
    assert answered_of(app) is not before
    assert answered_of(app).evidence is not None


def test_of_the_whole_answer_every_words_effect_and_the_files_are_on_demand(
    open_explain: OpenPage,
) -> None:
    app = open_explain()
    choose_words(app, 0, 12, whole=True)
    app.run()
    app.session_state["image_need"] = True
    app.run()
    bars = figure(app, "image_need_words")["data"][0]
    assert len(bars["y"]) == 11, "a full stop has a bar too, for it stands in the answer"
    assert [one.proto.label for one in app.get("download_button")].count("Record ZIP") == 1
