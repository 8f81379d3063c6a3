"""What the page asks by itself and at a click, what it shows, and what it says of bad input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import MethodError
from medgemma_dash.imaging.perturbations import STANDARD
from medgemma_dash.services.prompts.run import prompts_plan
from medgemma_dash.services.prompts.tasks import PROMPTS
from medgemma_dash.ui.components.record_frame import ELSEWHERE
from medgemma_dash.ui.pages.prompts.state import (
    OTHER_PERTURBATIONS,
    OWN,
    PairState,
    PromptsState,
)
from medgemma_dash.ui.state.records import OpenedRecord
from medgemma_dash.ui.state.session import ASK, QUESTION
from tests.app.browser_events import choose_action, click_matrix, lines_of
from tests.app.fake_prompts import fake_record
from tests.app.opened import figure, session_of, study_of, wait_for

OpenPage = Callable[[], AppTest]
Settle = Callable[[AppTest], AppTest]
WHERE = "Where is the consolidation?"


def names_of(app: AppTest) -> list[str]:
    """The chosen map, and what it is held against."""
    pair = session_of(app).page_state(PairState)
    assert [one.value for one in app.selectbox[:2]] == [pair.chosen, pair.reference]
    return [pair.chosen, pair.reference]


def click(app: AppTest, key: str, settle: Settle) -> AppTest:
    app.button(key=key).click().run()
    return settle(app).run()


def test_it_opens_with_a_few_phrasings_of_the_open_question(
    open_prompts: OpenPage, fake: Any
) -> None:
    app = open_prompts()
    (plan,) = fake.asked_in_words
    assert [one.strategy for one in plan.prompts] == [
        "baseline", "technical", "plain", "phrasing variation",
    ]  # fmt: skip
    assert plan.perturbations == ()
    said = lines_of(app, "prompts_summary")
    assert said[0].startswith(
        "Of 4 phrasings 3 say yes, 1 says no; 50% of pairs agree (target above 80%: missed)."
    )
    # The pair that the page opens with is the one whose answer changed.
    assert names_of(app) == ["3 plain", "1 baseline"]
    words = lines_of(app, "prompts_pair_words")
    assert words[2].startswith("The answer changes from yes to no; the margin moves by -3.10 nats")
    assert words[3].startswith("Jensen-Shannon 0.693, displaced ")
    assert 'the published reading, without a control, is "significantly different".' in words[3]
    app.run()
    assert len(fake.asked_in_words) == 1


def test_one_click_asks_what_the_command_asks(
    open_prompts: OpenPage, fake: Any, settle: Settle
) -> None:
    app = open_prompts()
    film, question = study_of(app).radiograph, fake.asked_in_words[0].prompts[0].prompt
    click(app, "prompts_every", settle)
    assert fake.asked_in_words[-1] == prompts_plan(film, question)
    click(app, "prompts_changes", settle)
    names = [one.name for one in STANDARD]
    assert fake.asked_in_words[-1] == prompts_plan(film, question, None, names)
    # Nothing more is one click away, and what was asked is not asked again.
    assert {"prompts_every", "prompts_changes"}.isdisjoint(one.key for one in app.button)
    assert len(fake.asked_in_words) == 3
    assert any(one.startswith("Of all 64 answers") for one in lines_of(app, "prompts_summary"))


def test_a_click_on_the_matrix_and_the_pickers_choose_the_pair(
    open_prompts: OpenPage, settle: Settle
) -> None:
    app = click(open_prompts(), "prompts_changes", settle)
    click_matrix(app, "prompts_clicks", 1, 6)
    assert names_of(app) == ["50 technical, rotation 5", "1 baseline"]
    stale = app._tree.get_widget_states()
    click_matrix(app, "prompts_clicks", 0, 5)
    # What the browser still says of the pickers before that click is passed over.
    app._run(stale)
    assert names_of(app) == ["41 baseline, blur 1", "1 baseline"]
    assert lines_of(app, "prompts_no_map") == ["No map of 41 baseline, blur 1: It found nothing."]
    app.selectbox[0].set_value("2 technical").run()
    app.selectbox[1].set_value("4 phrasing variation").run()
    assert names_of(app) == ["2 technical", "4 phrasing variation"]
    shapes = figure(app, "prompt_matrix")["layout"]["shapes"]
    frames = [one for one in shapes if one["line"].get("color") not in (None, "#000000")]
    assert [round(one["x0"]) for one in frames] == sorted(
        (round(one["x0"]) for one in frames), reverse=True
    )
    app.session_state["prompts_table"] = True
    app.run()
    assert lines_of(app, "prompts_table_from")[0].endswith("from the map of 4 phrasing variation.")
    # One outside of the matrix, as a browser may send it.
    click_matrix(app, "prompts_clicks", 8, 0)
    assert names_of(app) == ["2 technical", "4 phrasing variation"]


def test_maps_and_difference_stand_on_one_scale(open_prompts: OpenPage) -> None:
    app = open_prompts()
    pair = session_of(app).page_state(PairState)
    assert pair.grid is not None
    reference, chosen = pair.of(pair.grid)
    heatmaps = [one for one in figure(app, "prompt_pair")["data"] if one["type"] == "heatmap"]
    highest = max(
        float(np.max(one.image_map / one.image_map.sum()))
        for one in (reference, chosen)
        if one.image_map is not None
    )
    ends = [(one["zmin"], one["zmax"]) for one in heatmaps]
    assert np.allclose(ends, [(0, highest), (0, highest), (-highest, highest)], rtol=1e-6, atol=0)
    bars = [figure(app, f"prompts_words_{one}")["data"][0]["x"] for one in ("first", "second")]
    assert bars == [
        [word.value for word in one.words] for one in (reference, chosen)
    ]  # the fake model's margin leans on one word of each prompt


def test_the_readers_own_list_and_changes_are_asked_and_what_is_wrong_is_said(
    open_prompts: OpenPage, fake: Any, settle: Settle
) -> None:
    app = open_prompts()
    app.session_state["prompts_choice"] = True
    app.run()
    question = fake.asked_in_words[0].prompts[0].prompt
    number = session_of(app).page_state(PromptsState).number(question)
    own = app.text_area(key=f"{OWN}_{number}")
    for typed, problem in (("fog 2", "no change of the image called 'fog 2'"),
                           ("noise 999", "noise cannot be '999'")):  # fmt: skip
        app.text_input(key=OTHER_PERTURBATIONS).set_value(typed).run()
        assert problem in lines_of(app, "prompts_costs")[0]
        app.button(key="prompts_ask").click().run()
        assert len(fake.asked_in_words) == 1
        assert lines_of(app, "prompts_summary")
    app.text_input(key=OTHER_PERTURBATIONS).set_value("Brightness=0.5; noise 4").run()
    own = app.text_area(key=f"{OWN}_{number}")
    own.set_value("Any **sign** of it?\n\n  Any **sign** of it? \nPus?").run()
    assert lines_of(app, "prompts_costs")[0].startswith("18 answers, each with a map")
    click(app, "prompts_ask", settle)
    plan = fake.asked_in_words[-1]
    assert [(one.strategy, one.prompt) for one in plan.prompts[4:]] == [
        ("own 1", "Any **sign** of it?"),
        ("own 2", "Pus?"),
    ]
    assert plan.perturbations == ("brightness 0.5", "noise 4")
    # The popover has closed, and nothing of the reader's is read as Markdown.
    assert not list(app.text_area)
    assert not [one for one in (*app.markdown, *app.caption) if "**sign**" in one.value]


def test_a_question_of_no_known_form_says_so_and_takes_the_readers_own_list(
    open_prompts: OpenPage, open_explain: OpenPage, fake: Any, settle: Settle
) -> None:
    app = open_explain()
    app.text_input(key=QUESTION).set_value(WHERE)
    app.button(key=ASK).click().run()
    settle(app)
    app.switch_page("pages/6_Prompt_Sensitivity.py").run()
    assert lines_of(app, "prompts_no_rule")[0].startswith("No rule makes another phrasing")
    assert not fake.asked_in_words
    assert not lines_of(app, "prompts_summary")
    assert lines_of(app, "prompts_costs")[0].startswith("Choose another phrasing, write one")
    app.text_area[0].set_value("Which zone is consolidated?").run()
    click(app, "prompts_ask", settle)
    assert [one.prompt for one in fake.asked_in_words[-1].prompts] == [
        WHERE,
        "Which zone is consolidated?",
    ]
    assert lines_of(app, "prompts_summary")[0].startswith("Of 2 phrasings")


def test_the_earlier_result_stays_while_more_is_asked_and_when_that_fails(
    open_prompts: OpenPage, fake: Any, settle: Settle
) -> None:
    app = open_prompts()
    before = lines_of(app, "prompts_summary")
    fake.hold.clear()
    app.button(key="prompts_every").click().run()
    assert lines_of(app, f"cancel_{PROMPTS}")[0].startswith("Asking in other words")
    assert lines_of(app, "prompts_summary") == before
    assert lines_of(app, "prompts_before") == ["Below: what was asked before."]
    waiting = session_of(app).jobs.unfinished()
    choose_action(app, f"cancel_{PROMPTS}", "cancel")
    wait_for(waiting)
    app.run()
    assert lines_of(app, "prompts_problem") == ["This was stopped on request. ask again"]
    assert lines_of(app, "prompts_summary") == before
    fake.hold.set()
    fake.prompts_error = MethodError("It has no gradient.")
    choose_action(app, "prompts_problem", "again")
    settle(app).run()
    assert lines_of(app, "prompts_problem") == ["It has no gradient. ask again"]
    assert lines_of(app, "prompts_summary") == before
    fake.prompts_error = None
    choose_action(app, "prompts_problem", "again")
    settle(app).run()
    assert lines_of(app, "prompts_summary")[0].startswith("Of 8 phrasings")
    assert not lines_of(app, "prompts_before")


def test_an_opened_record_is_shown_without_answer_and_model(
    open_prompts: OpenPage, lose_model: Callable[[str], None], makers: Any, fake: Any
) -> None:
    app = open_prompts()
    film = study_of(app).radiograph
    plan = prompts_plan(film, "Is there effusion?", ["Any effusion?"], ["noise"])
    elsewhere = replace(film, sha256="0" * 64)
    lose_model("There is none.")
    for shown, below in ((elsewhere, 0), (film, 4)):
        record = fake_record(shown, plan, makers.answer, makers.explanation)
        session_of(app).page_state(OpenedRecord).record = record
        app.run()
        assert not app.exception
        assert lines_of(app, ELSEWHERE)[0].startswith("Computed elsewhere, by fake")
        summary = lines_of(app, "prompts_summary")
        assert summary[0] == "Is there effusion?"
        assert summary[1].startswith("Of 2 phrasings 2 say yes")
        drawn = figure(app, "prompt_matrix")
        assert len(drawn["layout"]["images"]) == below
        # What lies below is said where nothing does.
        assert any("without a film" in one for one in summary) == (below == 0)
        click_matrix(app, "prompts_clicks", 1, 1)
        assert names_of(app)[0] == "4 own 1, noise 2"
    assert len(fake.asked_in_words) == 1
    choose_action(app, ELSEWHERE, "close")
    assert not lines_of(app, ELSEWHERE)


def test_markup_in_a_record_from_elsewhere_stays_text_and_a_large_one_is_drawn_in_part(
    open_prompts: OpenPage, makers: Any
) -> None:
    app = open_prompts()
    plan = prompts_plan(study_of(app).radiograph, "Is there pus?", [f"Pus {n}?" for n in range(30)])
    record = fake_record(study_of(app).radiograph, plan, makers.answer, makers.explanation)
    hostile = "# [here](http://a.b) <img src=x>"
    tables = {name: table.replace({"2 own 1": hostile}) for name, table in record.tables.items()}
    maps = {"map" if name == "2 own 1" else name: one for name, one in record.maps.items()}
    tables["prompts"]["map"] = tables["prompts"]["map"].replace({hostile: "map"})
    session_of(app).page_state(OpenedRecord).record = replace(record, tables=tables, maps=maps)
    app.run()
    app.selectbox[0].set_value(hostile).run()
    assert not app.exception
    assert lines_of(app, "prompts_words_of_second") == [hostile]
    drawn = (*app.markdown, *app.caption, *app.get("html"))
    assert not [one for one in drawn if "http" in str(one.value)]
    for chart in ("prompt_matrix", "prompt_pair"):
        shown = {name: one for name, one in figure(app, chart)["layout"].items() if name != "meta"}
        assert "<img" not in str(shown)
    assert lines_of(app, "prompts_not_drawn") == [
        "The matrix has 24 of 31: the pickers and the table have all."
    ]


def test_a_record_that_is_not_what_it_says_is_told_of(open_prompts: OpenPage, makers: Any) -> None:
    app = open_prompts()
    film = study_of(app).radiograph
    plan = prompts_plan(film, "Is there effusion?", ["Any effusion?"])
    record = fake_record(film, plan, makers.answer, makers.explanation)
    tables = dict(record.tables) | {"prompts": record.tables["prompts"].drop(columns="margin")}
    session_of(app).page_state(OpenedRecord).record = replace(record, tables=tables)
    app.run()
    assert not app.exception
    assert lines_of(app, "prompts_unreadable")[0].startswith("The record's tables are not those")
