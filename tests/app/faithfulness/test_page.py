"""What the Faithfulness page tests, what it says of it, and what it never computes twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import sha256

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.record import Record
from medgemma_dash.core.target import Against
from medgemma_dash.services.faithfulness.plan import REMOVALS
from medgemma_dash.services.faithfulness.request import request_for
from medgemma_dash.services.faithfulness.tasks import RECORD
from medgemma_dash.ui.pages.faithfulness.state import (
    TESTED_METHODS,
    TESTED_REMOVALS,
    FaithfulnessState,
)
from medgemma_dash.ui.state.records import OpenedRecord
from medgemma_dash.ui.state.samples import FOLDER
from tests.app.browser_events import choose_action, choose_words, click_matrix, lines_of
from tests.app.faithfulness.removing import DECISION, EFFECT, Removing
from tests.app.opened import answered_of, charts, figure, session_of, study_of, wait_for

OpenPage = Callable[[], AppTest]


def drawn(app: AppTest) -> set[str]:
    return set(charts(app))


def record_of(app: AppTest) -> Record:
    """The newest one."""
    return list(session_of(app).page_state(FaithfulnessState).records.values())[-1]


def says(app: AppTest) -> list[str]:
    return lines_of(app, "faithfulness_says")


def clicked(app: AppTest, button: str) -> AppTest:
    return app.button(key=button).click().run()


def test_it_opens_with_the_word_tested_as_the_command_tests_it(
    open_page: OpenPage, removing: Removing
) -> None:
    app = open_page()
    answer, target = answered_of(app).answer, answered_of(app).target
    assert target is not None
    asked = request_for(answer, target, ["chefer"], ["mean token"], sanity=False)
    assert record_of(app).plan == asdict(asked.plan)
    dependence, verdict, alone = says(app)
    assert (
        dependence
        == f"By mean token, the image gives it {EFFECT:.2f} nats (p 0.990, 0.0493 without)."
    )
    assert verdict == "Chefer: better than chance on this word: yes."
    assert alone.startswith("One removal alone proves little")
    assert drawn(app) == {"curve_deletion", "curve_insertion", "masked_film"}
    values = figure(app, "curve_deletion")["data"][-1]["y"]
    # A row of sixteen is gone with a tenth of the cells, and a sixteenth of it with one cell.
    assert values[0] == pytest.approx(np.exp(-0.01))
    assert values[2:] == pytest.approx([np.exp(-0.01 - EFFECT)] * 11)
    assert (
        "Top 20% of Chefer removed: p is 0.0493 in place of 0.990"
        in lines_of(app, "deletion_says")[0]
    )
    table = app.dataframe[0].value
    assert list(table.index)[:2] == ["Chefer", "centre of the picture"]
    assert "random, mean of 10" in table.index
    # Where 95% of rankings lie ends where an area under a probability, and a loss of it, must.
    areas, losses = table[["deletion area", "insertion area"]], table[["sufficiency"]]
    assert areas.to_numpy().min() >= 0
    assert areas.to_numpy().max() <= 1
    assert losses.to_numpy().max() <= np.exp(-0.01)
    assert lines_of(app, "masked_answer")[0].startswith("The model answers as before")


def test_all_removals_are_a_click_and_nothing_is_computed_twice(
    open_page: OpenPage, removing: Removing
) -> None:
    app = open_page()
    once = dict(removing.scored)
    clicked(app, "all_removals")
    assert removing.scored == dict.fromkeys(REMOVALS, once["mean token"])
    assert removing.explained == [("chefer", answered_of(app).target)]
    assert not any(one.key == "all_removals" for one in app.button)
    app.session_state["faithfulness_removal"] = "blur"
    app.run()
    assert says(app)[0].startswith("By blur, ")
    # Another method costs its own masks alone, and the first test is known.
    app.session_state[TESTED_REMOVALS] = ["mean token"]
    app.session_state[TESTED_METHODS] = ["chefer", "rollout"]
    app.run()
    assert len(removing.explained) == 2
    assert removing.scored == dict.fromkeys(REMOVALS, once["mean token"])
    app.session_state[TESTED_METHODS] = ["chefer"]
    app.run()
    assert len(session_of(app).page_state(FaithfulnessState).records) == 3
    assert RECORD not in session_of(app).jobs


def test_what_cannot_be_had_is_said_and_the_rest_is_done(
    open_page: OpenPage, removing: Removing
) -> None:
    removing.no_map, removing.broken = ("attnlrp",), ("inpainting",)
    app = open_page()
    app.session_state[TESTED_METHODS] = ["chefer", "attnlrp"]
    app.session_state[TESTED_REMOVALS] = ["mean token", "inpainting"]
    app.run()
    said = says(app)
    assert "Chefer: better than chance on this word: yes." in said
    assert "AttnLRP: no map, because: It cannot explain this." in said
    assert "By inpainting, nothing could be removed: There is no such scissors." in said
    assert drawn(app) == {"curve_deletion", "curve_insertion", "masked_film"}
    app.session_state["faithfulness_tabs"] = "All removals"
    app.run()
    assert app.dataframe[0].value["image effect"].isna().tolist() == [False, True]
    # It is tried again, and the rest is known.
    removing.broken, scored = (), removing.scored["mean token"]
    choose_action(app, "faithfulness_says", "again")
    app.run()
    assert not any("nothing could be removed" in line for line in says(app))
    assert removing.scored == {"mean token": scored, "inpainting": scored}
    app.session_state[TESTED_METHODS] = ["attnlrp"]
    app.run()
    assert "No method has a map" in lines_of(app, "faithfulness_problem")[0]
    assert "AttnLRP: no map, because: It cannot explain this." in says(app)


def test_a_test_that_was_stopped_leaves_the_one_before_and_goes_on_where_it_was(
    open_page: OpenPage, removing: Removing
) -> None:
    app = open_page()
    removing.gate.clear()
    clicked(app, "all_removals")
    jobs = session_of(app).jobs.unfinished()
    assert lines_of(app, f"cancel_{RECORD}")[0].startswith("Testing what the maps mark")
    assert "curve_deletion" in drawn(app)
    assert says(app)[0].startswith("By mean token, ")
    choose_action(app, f"cancel_{RECORD}", "cancel")
    wait_for(jobs)
    app.run()
    assert lines_of(app, "faithfulness_problem") == ["This was stopped on request. test again"]
    removing.gate.set()
    choose_action(app, "faithfulness_problem", "again")
    app.run()
    assert lines_of(app, "faithfulness_problem") == []
    assert set(removing.scored) == set(REMOVALS)
    assert len(set(removing.scored.values())) == 1


def test_sanity_checks_are_run_when_they_are_asked_for_and_stand_as_ticks(
    open_page: OpenPage, removing: Removing, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page()
    scored = dict(removing.scored)
    assert removing.checked == 0
    clicked(app, "run_sanity")
    assert lines_of(app, "sanity_row") == [
        "The pipeline   ✓ spatial order 0.97   ",
        "Chefer   ✓ repeatability 0   ✗ decoder randomisation 0.9   ",
    ]
    clicked(app, "all_removals")
    assert removing.checked == 1
    assert removing.scored["mean token"] == scored["mean token"]
    assert len(lines_of(app, "sanity_row")) == 2
    app.session_state["faithfulness_tabs"] = "Sanity, step by step"
    app.run()
    assert app.dataframe[0].value["passed"].tolist() == ["yes", "yes", "no", "no"]
    # Beside one column that is in sight each line says what it is of.
    for module in ("pages.faithfulness.numbers", "components.numbers_table"):
        monkeypatch.setattr(f"medgemma_dash.ui.{module}.window_width", lambda: "narrow")
    app.run()
    assert list(app.dataframe[0].value.columns) == ["value"]
    assert app.dataframe[0].value.index.is_unique


def test_a_click_on_a_curve_shows_the_film_there_and_the_answer_is_asked_for_once(
    open_page: OpenPage, removing: Removing
) -> None:
    app = open_page()
    click_matrix(app, "curve_insertion_clicks", 122, 0)
    app.run()
    assert (removing.looked[-1].curve, removing.looked[-1].share) == ("insertion", 0.6)
    (slider,) = app.select_slider
    assert slider.value == 0.6
    titles = [one["text"] for one in figure(app, "masked_film")["layout"]["annotations"]]
    assert any(one.startswith("<b>60% kept</b>") for one in titles)
    assert not any("no map" in one for one in titles)
    assert lines_of(app, "masked_answer")[0].startswith(
        "The model now answers “No, <b>nothing</b>.”"
    )
    assert lines_of(app, "masked_answer")[1] == (
        "p is that of “consolidation” after “Yes, there is”, whatever the model now begins with."
    )
    assert figure(app, "curve_insertion")["layout"]["shapes"][0]["x0"] == 0.6
    assert "shapes" not in figure(app, "curve_deletion")["layout"]
    looked = len(removing.looked)
    app.select_slider[0].set_value(0.2).run()
    app.select_slider[0].set_value(0.6).run()
    assert len(removing.looked) == looked + 1
    # What the browser says of places that are none.
    click_matrix(app, "curve_insertion_clicks", 999, 0)
    app.run()
    assert app.select_slider[0].value == 0.6


def test_another_word_is_tested_in_its_place_and_the_first_is_kept(
    open_page: OpenPage, removing: Removing
) -> None:
    app = open_page()
    first = answered_of(app).target
    choose_words(app, 7, 8, strip="faithfulness_strip")
    app.run()
    second = answered_of(app).target
    assert [target for _, target in removing.explained] == [first, second]
    scored = dict(removing.scored)
    choose_words(
        app, first.token_indices[0], first.token_indices[0] + 1, strip="faithfulness_strip"
    )
    app.run()
    assert removing.scored == scored


def test_the_decision_is_tested_until_another_word_is_chosen(
    open_page: OpenPage, removing: Removing
) -> None:
    app = open_page()
    assert not any(one.key == "test_decision" for one in app.button)
    answered_of(app).answer = replace(answered_of(app).answer, margin=2.0)
    app.run()
    clicked(app, "test_decision")
    assert removing.explained[-1] == ("chefer", DECISION)
    assert "better than chance on this decision" in says(app)[1]
    assert lines_of(app, "decision_tested")[0].startswith(
        "Tested is the decision and no word: Yes rather than No"
    )
    clicked(app, "test_word")
    assert "better than chance on this word" in says(app)[1]
    clicked(app, "test_decision")
    choose_words(app, 7, 8, strip="faithfulness_strip")
    app.run()
    assert removing.explained[-1] == ("chefer", answered_of(app).target)


def test_of_a_contrast_the_word_alone_is_tested(open_page: OpenPage, removing: Removing) -> None:
    app = open_page()
    target = answered_of(app).target
    assert target is not None
    answered_of(app).target = replace(target, against=Against(9001, " mid"))
    app.run()
    assert lines_of(app, "contrast_not_tested")[0].startswith("Tested is the word alone")
    assert removing.explained == [("chefer", target)]


def test_without_methods_or_removals_it_says_what_to_choose(open_page: OpenPage) -> None:
    app = open_page()
    app.session_state[TESTED_METHODS] = []
    app.run()
    assert lines_of(app, "nothing_to_test") == ["Choose at least one method above."]
    app.session_state[TESTED_METHODS] = ["rollout"]
    app.session_state[TESTED_REMOVALS] = []
    app.run()
    assert lines_of(app, "nothing_to_test") == ["Choose at least one removal above."]


def test_a_record_of_a_file_is_shown_without_model_answer_and_film(
    open_page: OpenPage, open_home: Callable[[], AppTest], lose_model: Callable[[str], None]
) -> None:
    app = open_page()
    record, film = record_of(app), study_of(app)
    lose_model("There is none.")
    other = open_home()
    session_of(other).page_state(OpenedRecord).record = record
    other.switch_page("pages/7_Faithfulness.py").run()
    assert not other.exception
    assert lines_of(other, "computed_elsewhere")[0].startswith("Computed elsewhere, by fake")
    assert lines_of(other, "record_asked")[0].startswith(
        "Tested: consolidation of the answer “Yes, "
    )
    assert says(other)[1] == "Chefer: better than chance on this word: yes."
    assert drawn(other) == {"curve_deletion", "curve_insertion", "masked_film"}
    assert lines_of(other, "no_film")[0].startswith("The film that this is about is not open here")
    assert "no model to ask" in lines_of(other, "masked_answer")[0]
    assert lines_of(other, "no_sanity") == ["No sanity checks were made."]
    assert "open its film" not in lines_of(other, "computed_elsewhere")[0]
    session_of(other).study = film
    other.run()
    assert lines_of(other, "no_film") == []
    assert "no model to ask" in lines_of(other, "masked_answer")[0]
    # Of a film that comes with the program it can be opened at once.
    session_of(other).study = None
    digest = sha256((FOLDER / "nodule-left-upper.png").read_bytes()).hexdigest()
    plan = record.plan | {"asked": record.plan["asked"] | {"image_sha256s": [digest]}}
    facts = replace(record.provenance, images=(digest,))
    session_of(other).page_state(OpenedRecord).record = replace(record, plan=plan, provenance=facts)
    other.run()
    assert lines_of(other, "no_film")
    assert "open its film, “Nodule, left upper zone”" in lines_of(other, "computed_elsewhere")[0]
    choose_action(other, "computed_elsewhere", "film")
    other.run()
    assert lines_of(other, "no_film") == []
    assert "open its film" not in lines_of(other, "computed_elsewhere")[0]
    choose_action(other, "computed_elsewhere", "close")
    other.run()
    assert lines_of(other, "computed_elsewhere") == []


@pytest.mark.parametrize("lost", ["summary", "curves", "dependence"])
def test_a_record_made_by_hand_says_that_it_cannot_be_read(open_page: OpenPage, lost: str) -> None:
    app = open_page()
    whole = record_of(app)
    tables = {name: table for name, table in whole.tables.items() if name != lost}
    session_of(app).page_state(OpenedRecord).record = replace(whole, tables=tables)
    app.run()
    assert not app.exception
    assert "not those of its kind" in lines_of(app, "record_problem")[0]
