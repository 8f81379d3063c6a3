"""What was asked about a film: in order, within a budget, and what is let go is counted."""

from __future__ import annotations

from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.answer_cache import TOKEN_BYTES
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.ui.state.history import History
from medgemma_dash.ui.state.study import Answered
from tests.app.fake_model import SAID, make_answer, make_explanation
from tests.services.makers import make_radiograph


def given(question: str) -> Answered:
    answer = make_answer(make_radiograph(), question)
    return Answered(answer, RelevanceStore(answer), None)


def questions(history: History) -> list[str]:
    return [one.answer.prompt for one in history]


def test_the_newest_comes_first_and_going_back_changes_no_order() -> None:
    history = History()
    first, second = given("Is it one?"), given("Is it two?")
    history.add(first)
    history.add(second)
    assert history.find(first.answer.key) is first
    assert questions(history) == ["Is it two?", "Is it one?"]
    assert history.asked("Is it one?") is first
    assert history.asked("Is it three?") is None


def test_a_question_that_is_asked_again_stands_there_once_and_first() -> None:
    history = History()
    for question in ("Is it one?", "Is it two?", "Is it one?"):
        history.add(given(question))
    assert questions(history) == ["Is it one?", "Is it two?"]
    assert history.dropped == 0


def test_what_was_looked_at_least_recently_is_let_go_and_counted() -> None:
    one = given("Is it one?")
    size = one.answer.input_ids.nbytes + len(SAID) * TOKEN_BYTES
    history = History(budget_bytes=round(2.5 * size))  # enough for two of three
    for answered in (one, given("Is it two?")):
        history.add(answered)
    history.find(one.answer.key)
    history.add(given("Is it three?"))
    assert questions(history) == ["Is it three?", "Is it one?"]
    assert (len(history), history.dropped) == (2, 1)
    # What is known of an answer counts too, when it has grown.
    one.store.add(make_explanation(one.answer, Target("token", (4,), " consolidation"), "chefer"))
    assert one.store.bytes > size / 2
    history.evict()
    assert (len(history), history.dropped) == (1, 2)
