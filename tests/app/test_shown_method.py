"""What stands beside the map belongs to the method that made it, whatever is chosen meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import NoExplanationError, OutOfMemoryError
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.tasks import EXPLAIN, EXPLAIN_ALL
from medgemma_dash.ui.components.previous_answer import EARLIER
from medgemma_dash.ui.components.wording import Contrast
from medgemma_dash.ui.state.actions import choose, explain_every_word
from medgemma_dash.ui.state.session import ASK, METHOD, QUESTION, Notice
from medgemma_dash.ui.state.study import Choice
from tests.app.browser_events import (
    actions_of,
    choose_action,
    choose_words,
    click_patch,
    lines_of,
    strip_data,
)
from tests.app.opened import answered_of, session_of, study_of

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]
SENTENCE = "why_sentence"
NOT_ENOUGH = OutOfMemoryError("The memory was not enough.")


def switch(app: AppTest, method: str) -> AppTest:
    """What the picker does."""
    app.session_state[METHOD] = method
    return app.run()


def made_by(app: AppTest) -> Choice | None:
    shown = answered_of(app).shown
    return None if shown is None else shown.made_by


def computed(app: AppTest) -> list[int]:
    return [place for place, token in enumerate(strip_data(app)["tokens"]) if token["computed"]]


def test_the_line_names_the_method_and_settings_that_made_the_map(open_explain: OpenPage) -> None:
    app = open_explain()
    assert lines_of(app, SENTENCE)[1].startswith("Chefer ·")
    app.session_state["method_chefer_words"] = "summed logits"
    app.run()
    assert lines_of(app, SENTENCE)[1].startswith("Chefer (several words: summed logits) ·")


def test_while_another_method_computes_everything_is_still_about_the_map_on_screen(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    chosen = answered_of(app).target
    assert chosen is not None
    fake.hold.clear()
    switch(app, "rollout")
    assert EXPLAIN in session_of(app).jobs
    assert lines_of(app, SENTENCE)[1].startswith("Chefer ·")
    assert lines_of(app, EARLIER) == ["Map, bars and zones are still by Chefer"]
    assert computed(app) == list(chosen.token_indices)
    assert actions_of(app, SENTENCE)
    click_patch(app, 4, 4)  # the word's own row of patches
    assert "leaned on by consolidation" in lines_of(app, "cell_line")[0]
    fake.hold.set()
    settle(app)
    assert lines_of(app, SENTENCE)[1].startswith("Attention rollout")
    assert lines_of(app, EARLIER) == []
    fake.hold.clear()
    choose_words(app, 7, 8)
    app.run()
    assert lines_of(app, EARLIER) == ["Map, bars and zones are still of consolidation"]
    switch(app, "chefer")
    still = "Map, bars and zones are still of consolidation by Attention rollout"
    assert lines_of(app, EARLIER) == [still]
    assert lines_of(app, "notice_line") == []


def test_a_method_that_fails_leaves_the_map_and_the_picker_goes_back(
    open_explain: OpenPage, fake: Any
) -> None:
    app = open_explain()
    before = answered_of(app).explanation
    fake.explain_error, fake.refused = NOT_ENOUGH, ("rollout",)
    switch(app, "rollout")
    assert not app.exception
    assert answered_of(app).explanation is before
    assert app.session_state[METHOD] == "chefer"
    assert lines_of(app, "notice_line") == [str(NOT_ENOUGH)]
    assert lines_of(app, SENTENCE)[1].startswith("Chefer ·")
    # The next word is explained by what the picker says, without another attempt.
    choose_words(app, 8, 9)
    assert lines_of(app, SENTENCE)[0].startswith("Why lower?")
    assert lines_of(app, SENTENCE)[1].startswith("Chefer ·")
    assert lines_of(app, "notice_line") == []


def test_a_cancelled_switch_goes_back_with_its_settings(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    app.session_state["method_chefer_words"] = "summed logits"
    app.run()
    fake.hold.clear()
    switch(app, "rollout")
    pending = session_of(app).jobs.get(EXPLAIN)
    assert pending is not None
    pending.cancel()
    settle(app)
    assert app.session_state[METHOD] == "chefer"
    assert app.session_state["method_chefer_words"] == "summed logits"
    assert lines_of(app, SENTENCE)[1].startswith("Chefer (several words: summed logits) ·")


def test_a_failure_does_not_undo_a_choice_that_was_made_since(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    fake.explain_error, fake.refused = NOT_ENOUGH, ("rollout",)
    fake.hold.clear()
    switch(app, "rollout")
    pending = session_of(app).jobs.get(EXPLAIN)
    assert pending is not None
    fake.hold.set()
    assert pending.wait(30)
    switch(app, "legrad")
    settle(app)
    assert app.session_state[METHOD] == "legrad"
    assert made_by(app) == ("legrad", ())


def test_a_second_switch_does_not_wait_for_the_first(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    fake.hold.clear()
    switch(app, "rollout")
    switch(app, "legrad")
    assert session_of(app).jobs.about(EXPLAIN).made_by == ("legrad", ())
    fake.hold.set()
    settle(app)
    assert made_by(app) == ("legrad", ())


def test_a_method_without_a_map_of_the_word_stays_chosen_and_says_why(
    open_explain: OpenPage, fake: Any
) -> None:
    app = open_explain()
    fake.explain_error, fake.refused = NoExplanationError("nothing is above zero."), ("tam",)
    switch(app, "tam")
    assert app.session_state[METHOD] == "tam"
    assert answered_of(app).shown is None
    assert lines_of(app, SENTENCE) == [
        "No explanation for consolidation, because nothing is above zero."
    ]
    assert computed(app) == []


def test_why_not_is_offered_only_by_methods_that_can_contrast(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    assert "why not mid?" in lines_of(app, SENTENCE)[0]
    settle(switch(app, "rollout"))
    assert "next came mid 0.01." in lines_of(app, SENTENCE)[0]
    assert actions_of(app, SENTENCE) == []


def test_a_contrast_is_explained_and_led_back_from(open_explain: OpenPage) -> None:
    app = open_explain()
    choose_action(app, SENTENCE, actions_of(app, SENTENCE)[0])
    assert lines_of(app, SENTENCE)[0].startswith("Why consolidation rather than mid?")
    choose_action(app, SENTENCE, actions_of(app, SENTENCE)[0])
    assert lines_of(app, SENTENCE)[0].startswith("Why consolidation?")


def test_a_contrast_takes_the_notice_of_the_action_before_off_the_page(
    open_explain: OpenPage,
) -> None:
    app = open_explain()
    session_of(app).notice = Notice("error", "Something went wrong before.")
    app.run()
    assert lines_of(app, "notice_line")
    choose_action(app, SENTENCE, actions_of(app, SENTENCE)[0])
    assert session_of(app).notice is None
    # The line stands outside of the parts: the whole page has to be drawn.
    assert app.button(key=ASK)
    assert lines_of(app, "notice_line") == []


@pytest.mark.parametrize("stale", [Contrast("9-9", 4, 9001), Contrast("1-1", 5, 9001)])
def test_a_contrast_of_another_answer_or_word_is_dropped(
    open_explain: OpenPage, stale: Contrast
) -> None:
    app = open_explain()
    before = answered_of(app).explanation
    assert before is not None
    assert (study_of(app).generation, before.target.token_indices) == ("1-1", (4,))
    choose_action(app, SENTENCE, stale.action)
    assert not app.exception
    assert answered_of(app).target == before.target
    assert answered_of(app).explanation is before


def test_every_word_of_another_method_can_be_explained_while_the_first_goes_on(
    open_explain: OpenPage, settle: Settle, fake: Any
) -> None:
    app = open_explain()
    fake.hold_filling.clear()
    app.button(key="explain_all").click().run()
    first = session_of(app).jobs.get(EXPLAIN_ALL)
    assert first is not None
    assert not any(button.key == "explain_all" for button in app.button)
    settle_click = switch(app, "rollout")
    # The old one goes on under its own name, and does not stand in the way.
    assert not first.finished
    assert "by Chefer" in lines_of(settle_click, "cancel_fill")[0]
    app.button(key="explain_all").click().run()
    second = session_of(app).jobs.get(EXPLAIN_ALL)
    assert second is not None
    assert session_of(app).jobs.about(EXPLAIN_ALL) == ("rollout", ())
    assert first.state == "cancelled"
    assert "by" not in lines_of(app, "cancel_fill")[0]
    fake.hold_filling.set()
    settle(app)
    store = answered_of(app).store
    assert store is not None
    assert store.tensor("rollout").filled.all()


def test_asking_for_every_word_twice_keeps_the_one_under_way(
    open_explain: OpenPage, host: Any, fake: Any
) -> None:
    app = open_explain()
    session = session_of(app)
    fake.hold_filling.clear()
    explain_every_word(session, host, "chefer", ())
    first = session.jobs.get(EXPLAIN_ALL)
    explain_every_word(session, host, "chefer", ())
    assert session.jobs.get(EXPLAIN_ALL) is first


def test_the_words_can_be_underlined_by_probability_on_every_page(
    open_explain: OpenPage, settle: Settle
) -> None:
    app = open_explain()
    assert strip_data(app)["measure"] == "image share"
    app.button(key="underline").click().run()
    assert strip_data(app)["measure"] == "probability"
    settle(app.switch_page("pages/2_Compare.py").run())
    assert strip_data(app, "compare_strip")["measure"] == "probability"
    app.switch_page("pages/1_Explain.py").run()
    for measure in ("image effect", "image share"):
        app.button(key="underline").click().run()
        assert strip_data(app)["measure"] == measure


def test_a_question_that_is_asked_again_finds_what_was_explained_before(
    open_explain: OpenPage, settle: Settle, host: Any, fake: Any
) -> None:
    def ask(question: str) -> None:
        app.text_input(key=QUESTION).set_value(question)
        app.button(key=ASK).click().run()
        settle(app)

    app = open_explain()
    answer, first = answered_of(app).answer, answered_of(app).store
    assert answer is not None
    assert first is not None
    choose(session_of(app), host, Target("token", (7,), " right"), "chefer", ())
    ask("Is the heart enlarged?")
    assert answered_of(app).store is not first
    fake.computed.clear()
    ask(answer.prompt)
    answered = answered_of(app)
    assert answered.store is first
    assert fake.computed == []
    assert answered.explanation is not None
    assert np.flatnonzero(first.tensor().filled).tolist() == [4, 7]
