"""What is looked into once, what is told meanwhile, and what can be cancelled and retried."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.target import Target
from medgemma_dash.services.layers import tasks
from medgemma_dash.services.runtime.queue import ABANDONED
from tests.app.browser_events import choose_action, lines_of
from tests.app.layers.layers_page import drawn, open_tab
from tests.app.layers.looking import Looking
from tests.app.opened import answered_of, session_of, wait_for


def test_a_look_that_is_under_way_is_not_asked_for_again(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    looking.gate.clear()
    app = open_layers()
    job = session_of(app).jobs.get(tasks.LAYERS)
    app.run()
    app.run()
    assert session_of(app).jobs.get(tasks.LAYERS) is job
    assert len(looking.looked) == 1
    assert lines_of(app, "cancel_layers")[0].startswith("Looking into the layers")
    looking.gate.set()
    wait_for(session_of(app).jobs.unfinished())
    app.run()
    assert "layers_bars" in drawn(app)
    assert len(looking.looked) == 1


def test_another_word_is_looked_into_in_place_of_the_first(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    looking.gate.clear()
    app = open_layers()
    first = session_of(app).jobs.get(tasks.LAYERS)
    assert first is not None
    answered_of(app).target = Target("token", (0,), "Yes")
    app.run()
    looking.wait_for(2)
    assert [target.text for target in looking.looked] == [" consolidation", "Yes"]
    assert first.stopping or first.state == "cancelled"


def test_a_cancelled_look_is_not_taken_again_until_it_is_asked_for(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    looking.gate.clear()
    app = open_layers()
    jobs = session_of(app).jobs.unfinished()
    choose_action(app, "cancel_layers", "cancel")
    wait_for(jobs)
    app.run()
    app.run()
    assert lines_of(app, "layers_error") == ["This was stopped on request. look again"]
    assert len(looking.looked) == 1
    looking.gate.set()
    choose_action(app, "layers_error", "again")
    assert len(looking.looked) == 2
    assert "layers_bars" in drawn(app)


def test_a_look_that_ended_because_the_page_was_left_is_taken_again(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    looking.gate.clear()
    app = open_layers()
    job = session_of(app).jobs.get(tasks.LAYERS)
    assert job is not None
    job._line.stop(job._record, ABANDONED)
    wait_for((job,))
    looking.gate.set()
    app.run()
    assert len(looking.looked) == 2
    assert "layers_bars" in drawn(app)


def test_a_model_without_a_view_says_why_and_the_words_stay(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    looking.failure = MethodError("This model has no gradient.")
    app = open_layers()
    assert lines_of(app, "layers_error") == ["This model has no gradient. look again"]
    assert any(one.key == "layers_strip" for one in app.get("bidi_component"))


def test_attention_of_a_token_is_read_once_and_can_be_cancelled_and_retried(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    app = open_layers()
    looking.gate.clear()
    open_tab(app, "Attention of any token")
    app.run()
    target = answered_of(app).target
    assert target is not None
    predicting = answered_of(app).answer.tokens[target.token_indices[0]].position - 1
    looking.wait_for(2)
    assert looking.read == [predicting]
    jobs = session_of(app).jobs.unfinished()
    choose_action(app, "cancel_attention", "cancel")
    wait_for(jobs)
    app.run()
    assert lines_of(app, "attention_problem") == ["This was stopped on request. read it again"]
    assert looking.read == [predicting]
    looking.gate.set()
    choose_action(app, "attention_problem", "again")
    assert looking.read == [predicting] * 2
    assert {"attention_map", "attention_words"} <= drawn(app)
