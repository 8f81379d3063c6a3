"""What the Compare page tells of a map that is missing, and when it tries again."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.runtime.queue import ABANDONED
from medgemma_dash.ui.pages.compare.state import CANCELLED
from tests.app.browser_events import actions_of, choose_action, lines_of
from tests.app.compare.compare_page import (
    AGAIN,
    MISSING,
    arrived,
    choose_methods,
    comparing_job,
    with_map,
)
from tests.app.compare.comparing import Comparing
from tests.app.opened import answered_of, wait_for


def test_what_the_reader_cancelled_stays_away_until_it_is_asked_for(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer")
    comparing.gate.clear()
    choose_methods(app, "chefer", "rollout")
    choose_action(app, "cancel_compare", "cancel")
    arrived(app.run())
    assert lines_of(app, MISSING) == [f"Attention rollout: {CANCELLED}", AGAIN]
    app.run()
    assert comparing.sent == [["rollout"]]
    comparing.gate.set()
    arrived(choose_action(app, MISSING, "again"))
    assert comparing.sent == [["rollout"], ["rollout"]]
    assert with_map(app) == ["chefer", "rollout"]
    assert lines_of(app, MISSING) == []


def test_what_ended_because_the_page_was_left_is_sent_for_again(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer")
    comparing.gate.clear()
    choose_methods(app, "chefer", "rollout")
    job = comparing_job(app)
    job._line.stop(job._record, ABANDONED)
    wait_for((job,))
    comparing.gate.set()
    arrived(app.run())
    assert comparing.sent == [["rollout"], ["rollout"]]
    assert with_map(app) == ["chefer", "rollout"]


def test_maps_stay_when_the_store_has_forgotten_them(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer", "rollout")
    answered = answered_of(app)
    answered.store = RelevanceStore(answered.answer)
    app.run()
    assert with_map(app) == ["chefer", "rollout"]
    assert lines_of(app, MISSING) == []
    assert comparing.sent == [["rollout"]]


def test_a_comparison_that_failed_says_why_and_can_be_tried_again(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer")
    comparing.failure = MedGemmaDashError("The program is busy.")
    arrived(choose_methods(app, "chefer", "rollout", "tam"))
    assert lines_of(app, MISSING) == [
        "Attention rollout: The program is busy.",
        "Token activation map: The program is busy.",
        AGAIN,
    ]
    comparing.failure = None
    arrived(choose_action(app, MISSING, "again"))
    assert with_map(app) == ["chefer", "rollout", "tam"]


def test_a_reason_that_lasts_is_listed_and_nothing_is_offered(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    comparing.reasons["tam"] = ("The text alone decides it.", True)
    app = open_compare("chefer", "tam")
    assert lines_of(app, MISSING) == ["Token activation map: The text alone decides it."]
    assert actions_of(app, MISSING) == []
    assert with_map(app) == ["chefer"]
    # Another word and back: the study remembers.
    answered = answered_of(app)
    word, answered.target = answered.target, Target("token", (0,), "Yes")
    arrived(app.run())
    answered.target = word
    arrived(app.run())
    assert comparing.sent == [["tam"], ["chefer", "tam"]]
    assert lines_of(app, MISSING) == ["Token activation map: The text alone decides it."]


def test_a_reason_that_may_pass_can_be_tried_again(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    comparing.reasons["tam"] = ("The memory was not enough.", False)
    app = open_compare("chefer", "tam")
    assert lines_of(app, MISSING)[-1] == AGAIN
    comparing.reasons.clear()
    arrived(choose_action(app, MISSING, "again"))
    assert with_map(app) == ["chefer", "tam"]
