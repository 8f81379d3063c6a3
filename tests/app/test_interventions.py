"""Patches removed or kept from the Explain page: the dialog, its choices and its results."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import MethodError
from medgemma_dash.services.interventions.plan import Cell
from medgemma_dash.services.interventions.tasks import INTERVENTION
from medgemma_dash.ui.components.interventions import BUTTON
from medgemma_dash.ui.components.interventions.state import InterventionState
from medgemma_dash.ui.state.session import ASK, QUESTION
from tests.app.browser_events import choose_action, choose_cells, click_patch, lines_of
from tests.app.opened import charts, figure, session_of

OpenPage = Callable[[], AppTest]
CLICKS, FIGURE, LINE = "intervention_clicks", "intervention_figure", "intervention_changes_line"


@pytest.fixture
def opened(open_explain: OpenPage) -> AppTest:
    app = open_explain()
    return app.button(key=BUTTON).click().run()


def state_of(app: AppTest) -> InterventionState:
    return session_of(app).page_state(InterventionState)


def selected(app: AppTest) -> tuple[Cell, ...]:
    cells = state_of(app).cells
    assert cells is not None
    return cells


def test_until_it_is_opened_there_is_a_button_and_nothing_is_imported(
    open_explain: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "medgemma_dash.ui.components.interventions.dialog"
    monkeypatch.delitem(sys.modules, name, raising=False)
    app = open_explain()
    assert app.button(key=BUTTON).label == "Remove or keep patches"
    assert name not in sys.modules
    assert not [one for one in charts(app) if "intervention" in one]


def test_the_faithfulness_page_has_it_too(open_explain: OpenPage, fake: Any) -> None:
    app = open_explain().switch_page("pages/7_Faithfulness.py").run()
    app = app.button(key=BUTTON).click().run()
    assert not app.exception
    assert len(fake.intervened) == 1
    assert lines_of(app, LINE)


def test_it_opens_with_what_the_map_marks_already_removed(opened: AppTest, fake: Any) -> None:
    assert not opened.exception
    (plan,) = fake.intervened
    # The word that is open leans on a row of patches, each alike.
    assert len(plan.cells) == 16
    assert plan.cells == selected(opened)
    assert (plan.how, plan.removal, plan.method) == ("remove", "mean token", "chefer")
    said, done = lines_of(opened, LINE)
    assert said.startswith("“,” changes most: its logit falls by 1.60")
    assert done == "16 of 256 patches are removed, by the mean image token."
    before, after = lines_of(opened, "intervention_changed_answers")
    assert before == "Before  Yes, there is consolidation in the right lower zone."
    assert after == "After  No."
    bars = figure(opened, "intervention_changes_figure")["data"][0]
    assert bars["x"][:2] == [0.0, pytest.approx(-1.6)]


def test_a_box_takes_the_selections_place_and_a_click_takes_a_patch_in_or_out(
    opened: AppTest, fake: Any
) -> None:
    app = choose_cells(opened, [(2, 3), (2, 2)], FIGURE)
    assert selected(app) == ((2, 2), (2, 3))
    app = click_patch(app, 9, 9, CLICKS)
    assert selected(app) == ((2, 2), (2, 3), (9, 9))
    app = click_patch(app, 2, 2, CLICKS)
    assert fake.intervened[-1].cells == selected(app) == ((2, 3), (9, 9))
    count = len(fake.intervened)
    app = click_patch(app, 2, 2, CLICKS)
    assert len(fake.intervened) == count, "what was found before is not computed again"
    assert lines_of(app, LINE)[1].startswith("3 of 256")


def test_what_is_painted_is_added(opened: AppTest) -> None:
    app = choose_cells(opened, [(2, 3)], FIGURE)
    app = app.segmented_control(key="intervention_drawing").set_value("Paint").run()
    app = choose_cells(app, [(4, 4), (5, 4)], FIGURE)
    assert selected(app) == ((2, 3), (4, 4), (5, 4))


def test_keeping_and_the_kind_of_removal_are_asked_for(opened: AppTest, fake: Any) -> None:
    app = choose_cells(opened, [(2, 3)], FIGURE)
    app = app.segmented_control(key="intervention_how").set_value("keep").run()
    app = app.selectbox(key="intervention_removal").set_value("blur").run()
    assert (fake.intervened[-1].how, fake.intervened[-1].removal) == ("keep", "blur")
    assert lines_of(app, LINE)[1] == "1 of 256 patches is kept and all others are removed, by blur."


def test_nothing_and_everything_are_said_to_be_no_selection(opened: AppTest, fake: Any) -> None:
    count = len(fake.intervened)
    app = opened.button(key="intervention_clear").click().run()
    assert lines_of(app, "no_intervention")[0].startswith("No patch is selected.")
    assert lines_of(app, LINE) == []
    every = [(row, col) for row in range(16) for col in range(16)]
    app = choose_cells(app, every, FIGURE)
    assert lines_of(app, "no_intervention")[0].startswith("Every patch is selected:")
    app = app.button(key="intervention_marked").click().run()
    assert lines_of(app, "no_intervention") == []
    assert len(fake.intervened) == count


def test_progress_can_be_stopped_and_the_earlier_result_stays(opened: AppTest, fake: Any) -> None:
    fake.hold.clear()
    app = choose_cells(opened, [(2, 3)], FIGURE)
    assert "Removing the patches" in lines_of(app, f"cancel_{INTERVENTION}")[0]
    assert lines_of(app, LINE)[1].startswith("16 of 256")
    job = session_of(app).jobs.get(INTERVENTION)
    choose_action(app, f"cancel_{INTERVENTION}", "cancel")
    assert job is not None
    assert job.wait(30)
    app = app.run()
    assert "stopped" in lines_of(app, "intervention_problem")[0]
    assert lines_of(app, LINE)[1].startswith("16 of 256")
    fake.hold.set()
    choose_action(app, "intervention_problem", "again")
    app = app.run()
    assert lines_of(app, LINE)[1].startswith("1 of 256")


def test_a_run_that_fails_says_why_and_loses_nothing(
    opened: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: Any) -> Any:
        raise MethodError("The soft tokens are gone.")
        yield

    monkeypatch.setattr("medgemma_dash.services.interventions.run.intervention_steps", fail)
    app = choose_cells(opened, [(2, 3)], FIGURE)
    assert "The soft tokens are gone." in lines_of(app, "intervention_problem")[0]
    assert lines_of(app, LINE)[1].startswith("16 of 256")


def test_another_answer_closes_it(
    opened: AppTest, settle: Callable[[AppTest], AppTest], fake: Any
) -> None:
    assert state_of(opened).opened
    fake.said = ("No", ".", "")
    opened.text_input(key=QUESTION).set_value("Is the heart enlarged?")
    app = settle(opened.button(key=ASK).click().run())
    assert not state_of(app).opened
    assert lines_of(app, LINE) == []


def drawn_alone() -> None:
    """A page that shows a record which was put into the session's state."""
    import streamlit as st

    from medgemma_dash.ui.components.interventions.record import show_interventions

    show_interventions(st.session_state["shown_record"])


def test_a_record_is_drawn_without_film_answer_and_model(opened: AppTest) -> None:
    (record,) = state_of(opened).records.values()
    answers = record.tables["answers"].copy()
    answers.loc[1, "text"] = "![x](https://example.org/x.png) <b>no</b>"
    hostile = replace(
        record, tables={**record.tables, "answers": answers}, plan=dict(record.plan),
        maps=dict(record.maps),
    )  # fmt: skip
    app = AppTest.from_function(drawn_alone)
    app.session_state["shown_record"] = hostile
    app.run()
    assert not app.exception
    assert lines_of(app, "changes_line")[1].startswith("16 of 256")
    assert lines_of(app, "changed_answers")[1].endswith("<b>no</b>")
    assert any("film is not open" in one.value for one in app.caption)
    assert not [one for one in app.markdown if "example.org" in one.value]
    assert len(figure(app, "changes_maps")["data"]) >= 2
