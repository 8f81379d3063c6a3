"""What the Compare page computes, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import OutOfMemoryError
from medgemma_dash.services.explaining.tasks import EXPLAIN
from medgemma_dash.services.runtime.job import Job
from tests.app.browser_events import choose_words, lines_of
from tests.app.compare.compare_page import (
    MISSING,
    arrived,
    choose_methods,
    comparing_job,
    comparison_of,
    with_map,
)
from tests.app.compare.comparing import Comparing
from tests.app.opened import answered_of, charts, session_of, wait_for


def test_it_opens_with_the_answered_sample_and_a_map_by_each_of_the_first_methods(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare()
    assert len(with_map(app)) == 6
    assert answered_of(app).answer.text
    # The word's Chefer map came from the opening; the rest was sent for once.
    assert comparing.sent == [[method for method in with_map(app) if method != "chefer"]]
    assert len(app.dataframe[0].value) == 6
    assert lines_of(app, MISSING) == []


def test_a_word_is_chosen_here_whatever_the_explain_pages_method_does(
    open_compare: Callable[..., AppTest], fake: Any
) -> None:
    fake.explain_error = OutOfMemoryError("The memory was not enough.")
    app = open_compare("rollout")
    arrived(choose_words(app, 7, 8, strip="compare_strip"))
    assert comparison_of(app).target.token_indices == (7,)
    assert with_map(app) == ["rollout"]
    assert lines_of(app, "notice_line") == []
    # The Explain page catches up when it is shown.
    fake.explain_error = None
    app.switch_page("pages/1_Explain.py").run()
    explanation = answered_of(app).explanation
    assert explanation is not None
    assert (explanation.method, explanation.target.token_indices) == ("chefer", (7,))


def test_an_explanation_that_fails_meanwhile_does_not_take_the_word_away(
    open_explain: Callable[[], AppTest], comparing: Comparing, fake: Any
) -> None:
    app = open_explain()
    fake.explain_error = OutOfMemoryError("The memory was not enough.")
    fake.hold.clear()
    choose_words(app, 7, 8)
    pending = session_of(app).jobs.get(EXPLAIN)
    assert pending is not None
    app.switch_page("pages/2_Compare.py").run()
    fake.hold.set()
    wait_for((pending,))
    arrived(app.run())
    assert comparison_of(app).target.token_indices == (7,)
    # Where it was asked for, it is told, and the word goes back to the one that has a map.
    app.switch_page("pages/1_Explain.py").run()
    assert lines_of(app, "notice_line") == ["The memory was not enough."]
    target = answered_of(app).target
    assert target is not None
    assert target.token_indices == (4,)


def test_without_any_method_it_says_what_to_do(open_compare: Callable[..., AppTest]) -> None:
    app = choose_methods(open_compare("chefer"))
    assert lines_of(app, "nothing_to_compare") == ["Choose at least one method above."]
    assert not charts(app)


def test_a_method_more_computes_that_method_alone_and_one_less_nothing(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer", "rollout")
    arrived(choose_methods(app, "chefer", "rollout", "tam"))
    assert comparing.sent == [["rollout"], ["tam"]]
    choose_methods(app, "chefer")
    choose_methods(app, "chefer", "rollout", "tam")
    assert comparing.sent == [["rollout"], ["tam"]]
    assert with_map(app) == ["chefer", "rollout", "tam"]


def test_a_method_that_is_known_already_does_not_disturb_what_is_under_way(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer")
    comparing.gate.clear()
    choose_methods(app, "rollout")
    under_way = comparing_job(app)
    choose_methods(app, "chefer", "rollout")
    assert comparing_job(app) is under_way
    assert comparing.sent == [["rollout"]]


def test_the_line_of_progress_counts_methods_and_names_the_one_at_work(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer")
    comparing.gate.clear()
    choose_methods(app, "chefer", "rollout", "tam")
    job = comparing_job(app)
    while not job.note:
        job.wait(0.01)
    app.run()
    line = lines_of(app, "cancel_compare")[0]
    assert line.startswith("Comparing methods · 0 of 2 · now rollout, 3 of 8")


def test_a_comparison_is_in_sight_on_its_own_page_and_kept_alive_on_any(
    open_compare: Callable[..., AppTest], comparing: Comparing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not in sight lets other work go first, a click of the same reader among it."""
    app = open_compare("chefer")
    comparing.gate.clear()
    choose_methods(app, "chefer", "rollout")
    beats: list[bool] = []

    def beat(job: Job[Any], *, in_sight: bool = True) -> None:
        if job.label == "Comparing methods":
            beats.append(in_sight)

    monkeypatch.setattr(Job, "heartbeat", beat)
    app.run()
    assert True in beats
    beats.clear()
    app.switch_page("Home.py").run()  # which draws what is above every page
    assert set(beats) == {False}
