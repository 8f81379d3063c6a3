"""The test of the compared maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.target import Against, Target
from medgemma_dash.metrics.faithfulness import Faithfulness, FaithfulnessTable
from medgemma_dash.services.faithfulness import scoring
from medgemma_dash.services.faithfulness.tasks import TEST
from medgemma_dash.ui.pages.compare.faithfulness import told_above_random
from tests.app.browser_events import lines_of
from tests.app.compare.compare_page import arrived, comparison_of, open_tab
from tests.app.opened import PATIENCE_SECONDS, answered_of, session_of, wait_for


def test_a_contrast_is_not_what_the_faithfulness_test_watches(
    open_compare: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = FaithfulnessTable(0.9, 0.2, (Faithfulness(0.5, 0.1),), (Faithfulness(0.1, 0.4),) * 10)

    def at_once(*_arguments: Any) -> Iterator[None]:
        return table
        yield

    monkeypatch.setattr(scoring, "faithfulness_steps", at_once)
    app = open_tab(open_compare("chefer"), "Faithfulness")
    assert lines_of(app, "contrast_not_tested") == []
    assert any("from the top of the picture" in one.value for one in app.caption)
    answered_of(app).target = Target("token", (7,), " right", Against(9001, " mid"))
    arrived(app.run())
    wanted = (
        "The maps say why right rather than mid; the test watches the probability of right alone."
    )
    assert lines_of(app, "contrast_not_tested") == [wanted]
    app.button(key="test_faithfulness").click().run()
    wait_for(session_of(app).jobs.unfinished())
    app.run()
    assert app.dataframe[0].value.loc["Chefer", "comprehensiveness"] == pytest.approx(0.5)
    assert lines_of(app, "contrast_not_tested") == [wanted]


def test_what_a_test_finds_of_one_word_is_not_shown_for_another(
    open_compare: Callable[..., AppTest], fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = FaithfulnessTable(0.9, 0.2, (Faithfulness(0.5, 0.1),), (Faithfulness(0.1, 0.4),) * 10)
    gate = fake.gate()

    def held_up(current: Any, answer: Any, target: Any, images: Any, check: Any, *_: Any) -> Any:
        gate.pass_through(check)
        return table
        yield

    monkeypatch.setattr(scoring, "faithfulness_steps", held_up)
    app = open_tab(open_compare("chefer"), "Faithfulness")
    gate.clear()
    app.button(key="test_faithfulness").click().run()
    assert lines_of(app, "cancel_test")[0].startswith("Testing the maps")
    job = session_of(app).jobs.get(TEST)
    assert job is not None
    answered_of(app).target = Target("token", (7,), " right")
    gate.set()
    assert job.wait(PATIENCE_SECONDS)
    arrived(app.run())
    # This word's maps were not tested, and can be.
    assert app.button(key="test_faithfulness")
    assert comparison_of(app).faithfulness is None


def test_a_map_that_costs_the_word_nothing_is_not_judged_by_chance() -> None:
    idle = Faithfulness(0.0001, 0.1)
    table = FaithfulnessTable(
        0.9, 0.2, (idle, Faithfulness(0.5, 0.1)), (Faithfulness(0.0, 0.4),) * 10
    )
    # Above every random choice, by as little as rounding.
    assert table.above_random(0) == 1
    assert told_above_random(table, 0) is None
    assert told_above_random(table, 1) == 1
