"""What is left of the Explain page when the reader goes away and comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import PromptError
from medgemma_dash.services.explaining import tasks
from medgemma_dash.services.explaining.tasks import EXPLAIN
from medgemma_dash.services.runtime.queue import ABANDONED
from medgemma_dash.ui.state.session import ASK, METHOD, QUESTION
from tests.app.opened import PATIENCE_SECONDS, answered_of, ask, session_of, study_of

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


def test_what_was_chosen_survives_a_visit_to_another_page(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    app.slider(key="map_opacity").set_value(40).run()
    app.run()  # a fragment alone was drawn
    ask(app, settle, "Is the heart enlarged?")
    before = answered_of(app).explanation
    app.switch_page("Home.py").run()
    app.switch_page("pages/1_Explain.py").run()
    assert not app.exception
    assert app.slider(key="map_opacity").value == 40
    assert app.text_input(key=QUESTION).value == "Is the heart enlarged?"
    assert answered_of(app).explanation is before


def test_the_box_shows_what_was_asked_whatever_the_browser_still_holds(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    ask(app, settle, "Is the heart enlarged?")
    app.text_input(key=QUESTION).set_value("Of an earlier radiograph?").run()
    assert app.text_input(key=QUESTION).value == answered_of(app).answer.prompt


def test_leaving_in_the_middle_of_an_answer_loses_nothing(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    fake.hold.clear()
    app.text_input(key=QUESTION).set_value("Is the heart enlarged?")
    app.button(key=ASK).click().run()
    app.switch_page("Home.py").run()
    fake.hold.set()
    settle(app)
    app.switch_page("pages/1_Explain.py").run()
    settle(app)
    answered = answered_of(app)
    assert answered.answer.prompt == "Is the heart enlarged?"
    assert answered.explanation is not None


@pytest.mark.parametrize("key", [tasks.ASK, EXPLAIN])
def test_what_ended_because_the_page_was_left_is_sent_for_again(
    open_explain: OpenPage, settle: Settle, fake: Any, key: str
) -> None:
    """A browser with too much to do, or asleep, asks for nothing for minutes."""
    app = open_explain()
    fake.hold.clear()
    if key == tasks.ASK:
        app.text_input(key=QUESTION).set_value("Is the heart enlarged?")
        app.button(key=ASK).click().run()
    else:
        app.session_state[METHOD] = "gradcam"
        app.run()
    job = session_of(app).jobs.get(key)
    assert job is not None
    job._line.stop(job._record, ABANDONED)
    assert job.wait(PATIENCE_SECONDS)
    fake.hold.set()
    app = settle(app.run())
    assert session_of(app).notice is None
    answered = answered_of(app)
    assert answered.explanation is not None
    if key == tasks.ASK:
        assert answered.answer.prompt == "Is the heart enlarged?"
    else:
        assert answered.explanation.method == "gradcam"


def test_two_sessions_share_nothing(open_explain: OpenPage, settle: Settle) -> None:
    first, second = open_explain(), open_explain()
    ask(first, settle, "Is the heart enlarged?")
    assert session_of(first).owner != session_of(second).owner
    other = answered_of(second).answer
    assert other is not None
    assert other.prompt != "Is the heart enlarged?"
    assert study_of(second).radiograph is not study_of(first).radiograph


def test_an_answer_that_is_known_already_gets_its_word_selected(
    open_explain: OpenPage, fake: Any
) -> None:
    open_explain()
    # It cannot be given once more.
    fake.ask_error = PromptError("It is asked twice.")
    answered = answered_of(open_explain())
    assert answered.target is not None
    assert answered.explanation is not None
