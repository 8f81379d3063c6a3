"""The Explain page's logic, without a browser and without torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import NoExplanationError, OutOfMemoryError, PromptError
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import EXPLAIN
from medgemma_dash.ui.state.actions import LONGEST_PROMPT_CHARACTERS
from medgemma_dash.ui.state.session import QUESTION
from tests.app.browser_events import lines_of
from tests.app.opened import answered_of, ask, session_of, study_of

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]


def test_it_opens_with_a_sample_answered_and_a_word_selected(open_explain: OpenPage) -> None:
    app = open_explain()
    assert not app.exception
    assert study_of(app).sample is not None
    answered = answered_of(app)
    assert answered.explanation is not None
    assert answered.target is not None
    assert answered.target.text.strip()


def test_a_question_is_answered_and_its_word_explained(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = ask(open_explain(), settle, "Is the heart enlarged?")
    answered = answered_of(app)
    assert answered.answer.prompt == "Is the heart enlarged?"
    assert answered.explanation is not None
    assert answered.explanation.provenance.prompt == "Is the heart enlarged?"


def test_the_box_says_what_was_asked_to_a_browser_that_was_not_told(open_explain: OpenPage) -> None:
    """The run that set the question was overtaken before the browser had drawn its box."""
    app = open_explain()
    states = app._tree.get_widget_states()
    drawn = [state for state in states.widgets if QUESTION not in state.id]
    assert len(drawn) == len(states.widgets) - 1
    del states.widgets[:]
    states.widgets.extend(drawn)
    box = app._run(states).text_input(key=QUESTION).proto
    assert box.set_value
    assert box.value == answered_of(app).answer.prompt


def test_a_question_that_is_too_long_is_said_to_be_and_kept(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    before, long = answered_of(app).answer, "a" * (LONGEST_PROMPT_CHARACTERS + 1)
    ask(app, settle, long)
    assert lines_of(app, "notice_line") == [
        "The question has 4,001 characters; 4,000 are allowed. Shorten it; it still stands in the "
        "box."
    ]
    assert app.text_input(key=QUESTION).value == long
    assert app.text_input(key=QUESTION).proto.max_chars == 0  # a browser would drop all of it
    assert answered_of(app).answer is before
    assert long not in session_of(app).address.values()


@pytest.mark.parametrize("question", ["", "   ", "\n"])
def test_an_empty_question_is_refused_and_the_answer_stays(
    open_explain: OpenPage, settle: Settle, question: str
) -> None:
    app = open_explain()
    before = answered_of(app).answer
    ask(app, settle, question)
    notice = session_of(app).notice
    assert notice is not None
    assert "empty" in notice.text
    assert answered_of(app).answer is before


def test_a_refused_question_leaves_question_answer_and_map(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    before = answered_of(app).explanation
    fake.ask_error = PromptError(
        "The question is too long: 5000 tokens. Allowed: 1024. Shorten it."
    )
    ask(app, settle, "word " * 500)
    notice = session_of(app).notice
    assert notice is not None
    assert notice.tone == "error"
    assert "too long" in notice.text
    assert answered_of(app).explanation is before
    assert app.text_input(key=QUESTION).value.startswith("word word")


def test_running_out_of_memory_keeps_the_earlier_map(
    open_explain: OpenPage, host: Any, fake: Any
) -> None:
    from medgemma_dash.ui.state.actions import choose

    app = open_explain()
    session, before = session_of(app), answered_of(app).explanation
    fake.explain_error = OutOfMemoryError("The memory was not enough.")
    choose(session, host, Target("token", (7,), " right"), "chefer", ())
    app.run()
    assert session.notice is not None
    assert "memory" in session.notice.text
    assert answered_of(app).explanation is before
    assert before is not None
    assert answered_of(app).target == before.target


def test_nothing_found_is_said_and_no_map_is_drawn(
    open_explain: OpenPage, host: Any, fake: Any
) -> None:
    from medgemma_dash.ui.state.actions import choose

    app = open_explain()
    fake.explain_error = NoExplanationError("every gradient is zero.")
    choose(session_of(app), host, Target("token", (7,), " right"), "chefer", ())
    app.run()
    assert not app.exception
    assert answered_of(app).explanation is None
    assert answered_of(app).problem == "every gradient is zero."


def test_the_last_click_wins(open_explain: OpenPage, settle: Settle, host: Any, fake: Any) -> None:
    from medgemma_dash.ui.state.actions import choose

    app = open_explain()
    session = session_of(app)
    fake.hold.clear()
    choose(session, host, Target("token", (7,), " right"), "chefer", ())
    choose(session, host, Target("token", (8,), " lower"), "chefer", ())
    fake.hold.set()
    settle(app)
    explanation = answered_of(app).explanation
    assert explanation is not None
    assert explanation.target.token_indices == (8,)


def test_a_word_known_already_is_not_computed_again(
    open_explain: OpenPage, host: Any, fake: Any
) -> None:
    from medgemma_dash.ui.state.actions import choose

    app = open_explain()
    for _ in range(2):
        choose(session_of(app), host, Target("token", (7,), " right"), "chefer", ())
    assert [target.token_indices for target in fake.computed].count((7,)) == 1


def test_a_word_known_already_is_looked_up_once(
    open_explain: OpenPage, host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medgemma_dash.ui.state.actions import choose

    app = open_explain()
    target = Target("token", (7,), " right")
    choose(session_of(app), host, target, "chefer", ())
    looked_up: list[Target] = []
    look_up = RelevanceStore.explanation

    def counted(store: RelevanceStore, target: Target, *rest: Any) -> Any:
        looked_up.append(target)
        return look_up(store, target, *rest)

    monkeypatch.setattr(RelevanceStore, "explanation", counted)
    choose(session_of(app), host, target, "chefer", ())
    assert looked_up == [target]
    shown = answered_of(app).shown
    assert shown is not None
    assert (shown.explanation.target, shown.seconds) == (target, None)
    assert EXPLAIN not in session_of(app).jobs
