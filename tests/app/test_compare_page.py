"""The Compare page's logic: what is computed, what is told when a map is missing, and pins."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import MedGemmaDashError, OutOfMemoryError
from medgemma_dash.core.target import Against, Target
from medgemma_dash.metrics.faithfulness import Faithfulness, FaithfulnessTable
from medgemma_dash.services.explaining import steps
from medgemma_dash.services.explaining.steps import MethodOutcome
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import COMPARE, EXPLAIN, compare_task
from medgemma_dash.services.faithfulness import scoring
from medgemma_dash.services.faithfulness.tasks import TEST
from medgemma_dash.services.runtime.job import Job
from medgemma_dash.services.runtime.queue import ABANDONED
from medgemma_dash.services.runtime.task import Task
from medgemma_dash.ui.pages.compare import state
from medgemma_dash.ui.pages.compare.pairs import extremes
from medgemma_dash.ui.pages.compare.pins import pin_map
from medgemma_dash.ui.pages.compare.state import (
    CANCELLED,
    COMPARED,
    CompareState,
    Comparison,
    Pin,
    Pins,
)
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.actions import open_sample
from medgemma_dash.ui.state.samples import samples
from tests.app.browser_events import actions_of, choose_action, choose_words, lines_of
from tests.app.opened import answered_of, session_of, study_of

PATIENCE_SECONDS = 30
MISSING = "missing_maps"
AGAIN = "compute the missing maps"


@dataclass(eq=False)
class Comparing:
    """In the place of `compare_steps`: which methods each was sent for, and what becomes of them.

    gate: each method waits for it. reasons: of methods that find nothing, and whether they last.
    failure: ends a whole job.
    """

    explanation: Callable[..., Any]
    gate: Any
    sent: list[list[str]] = field(default_factory=list)
    reasons: dict[str, tuple[str, bool]] = field(default_factory=dict)
    failure: MedGemmaDashError | None = None

    def noted_task(self, store: Any, target: Target, methods: Any, seconds: Any) -> Task[None]:
        self.sent.append([method for method, _ in methods])
        return compare_task(store, target, methods, seconds)

    def __call__(
        self, current: Any, store: RelevanceStore, target: Target, methods: Any, *rest: Any
    ) -> Iterator[None]:
        context = rest[0]
        for place, (method, options) in enumerate(methods):
            context.progress(place, len(methods))
            context.note(f"{method}, 3 of 8")
            self.gate.pass_through(context.check)
            if self.failure is not None:
                raise self.failure
            if method in self.reasons:
                reason, lasting = self.reasons[method]
                context.emit(MethodOutcome(method, options, None, reason, lasting))
            else:
                found = self.explanation(store.answer, target, method)
                store.add(found, options)
                context.emit(MethodOutcome(method, options, found))
            yield


@pytest.fixture
def comparing(
    fake: Any, makers: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Comparing]:
    gate = fake.gate()
    found = Comparing(makers.explanation, gate)
    monkeypatch.setattr(steps, "compare_steps", found)
    monkeypatch.setattr(state, "compare_task", found.noted_task)
    yield found
    gate.set()


@pytest.fixture
def open_compare(open_home: Callable[[], AppTest], comparing: Comparing) -> Callable[..., AppTest]:
    """The Compare page with the opening sample answered, and these methods chosen."""

    def open_it(*methods: str) -> AppTest:
        app = open_home()
        if methods:
            app.session_state[COMPARED] = list(methods)
        app.switch_page("pages/2_Compare.py").run()
        while compare_state(app).comparison is None:
            wait_for(session_of(app).jobs.unfinished())
            app.run()
        return arrived(app)

    return open_it


def wait_for(jobs: tuple[Job[Any], ...]) -> None:
    for job in jobs:
        assert job.wait(PATIENCE_SECONDS)


def comparison_of(app: AppTest) -> Comparison:
    comparison = compare_state(app).comparison
    assert comparison is not None
    return comparison


def compare_state(app: AppTest) -> CompareState:
    return session_of(app).page_state(CompareState)


def pins_of(app: AppTest) -> list[Pin]:
    return session_of(app).page_state(Pins).maps


def comparing_job(app: AppTest) -> Job[Any]:
    job = session_of(app).jobs.get(COMPARE)
    assert job is not None
    return job


def arrived(app: AppTest) -> AppTest:
    """Run the page until nothing is awaited any more."""
    while comparison_of(app).awaited:
        wait_for(session_of(app).jobs.unfinished())
        app.run()
    assert not app.exception
    return app


def choose_methods(app: AppTest, *methods: str) -> AppTest:
    app.session_state[COMPARED] = list(methods)
    return app.run()


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["compare_tabs"] = name
    return app.run()


def with_map(app: AppTest) -> list[str]:
    return [one.method for one in comparison_of(app).maps if one.explanation is not None]


def pin(app: AppTest) -> None:
    """What "Pin Chefer" does."""
    one = comparison_of(app).maps[0]
    assert one.explanation is not None
    pin_map(pins_of(app), study_of(app), answered_of(app).answer, one.title, one.explanation)


def open_other_radiograph(app: AppTest) -> AppTest:
    assert open_sample(session_of(app), samples()[1])
    while compare_state(app).comparison is None:
        app.run()
        wait_for(session_of(app).jobs.unfinished())
    return arrived(app)


def figure(app: AppTest, key: str) -> dict[str, Any]:
    drawn = next(one for one in app.get("plotly_chart") if one.key == f"{key}_chart")
    spec: dict[str, Any] = json.loads(drawn.proto.spec)
    return spec


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
    assert not app.get("plotly_chart")


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


def test_a_pin_keeps_its_own_radiograph_and_zones(open_compare: Callable[..., AppTest]) -> None:
    app = open_compare("chefer")
    # Every cell of the fixed grid has a zone.
    app.session_state[keys.ZONE_SCHEME] = "fixed"
    pin(app)
    pinned = pins_of(app)[0]
    assert pinned.explanation.radiograph is None
    # As on a film that stands the other way round: every name says the other side.
    turned = replace(
        pinned.zones["fixed"],
        zones=pinned.zones["fixed"].zones[3:] + pinned.zones["fixed"].zones[:3],
    )
    pins_of(app)[0] = replace(pinned, zones={"fixed": turned, "fitted": turned})
    open_other_radiograph(app)
    drawn = figure(app, "comparison_figure")
    hovers = [trace["hovertext"] for trace in drawn["data"] if "hovertext" in trace]
    assert [texts[0] for texts in hovers] == [" · Right upper", " · Left upper"]
    assert len({one["source"] for one in drawn["layout"]["images"]}) == 2


def test_numbers_and_zones_have_a_line_for_every_pin(open_compare: Callable[..., AppTest]) -> None:
    app = open_compare("chefer", "rollout")
    pin(app)
    app.run()
    title = f"Pinned 1: {pins_of(app)[0].title}"
    assert list(app.dataframe[0].value.index) == ["Chefer", "Attention rollout", title]
    open_tab(app, "Zones")
    names = [bar["name"] for bar in figure(app, "zone_bars")["data"]]
    assert names[:2] == ["Chefer", "Attention rollout"]
    assert names[2].startswith("Pinned 1: Chefer")


def test_zones_that_are_named_differently_have_a_chart_of_their_own(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer")
    pin(app)
    pinned = pins_of(app)[0]
    unsided = replace(
        pinned.zones["fixed"],
        zones=tuple(replace(z, name=f"Image {z.name}") for z in pinned.zones["fixed"].zones),
    )
    pins_of(app)[0] = replace(pinned, zones={"fixed": unsided, "fitted": unsided})
    open_tab(app, "Zones")
    assert len(figure(app, "zone_bars")["data"]) == 1
    assert figure(app, "zone_bars_1")["data"][0]["x"][0] == "Image Right upper"


def test_halves_thirds_and_quadrants_are_told_on_demand(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer")
    assert len(app.dataframe) == 1
    app.session_state["quality_parts"] = True
    app.run()
    parts = app.dataframe[1].value
    # The fake model's word leans on the fourth row of patches, from side to side.
    assert parts.loc["Chefer", ["left half", "right half"]].tolist() == ["50%", "50%"]
    assert parts.loc["Chefer", "apical third"] == "100%"
    assert parts.loc["Chefer", ["upper left", "lower left"]].tolist() == ["50%", "0%"]


def test_a_sink_is_judged_when_half_of_the_words_are_explained(
    open_compare: Callable[..., AppTest], makers: SimpleNamespace
) -> None:
    app = open_compare("chefer")
    answer, store = answered_of(app).answer, answered_of(app).store
    assert lines_of(app, "sinks_unknown") == [
        "Attention sink: not known for Chefer; explain every word first."
    ]
    for token in answer.tokens[: len(answer.tokens) // 2]:
        row = np.zeros(len(answer.input_ids), np.float32)
        row[answer.image_span[0] + 7] = 1
        found = makers.explanation(answer, Target("token", (token.index,), token.text), "chefer")
        store.add(replace(found, row=row, images=(row[slice(*answer.image_span)].reshape(16, 16),)))
    app.run()
    assert lines_of(app, "sinks_unknown") == []
    assert "one and the same cell" in lines_of(app, "sinks")[0]


def test_agreement_says_in_words_which_maps_are_most_and_least_alike(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_tab(open_compare("chefer", "rollout"), "Agreement")
    assert lines_of(app, "agreement_words") == [
        "By the Jensen-Shannon divergence: Chefer and Attention rollout (nearly identical, 0.00)."
    ]
    told = figure(app, "agreement_matrix")["data"][0]["customdata"]
    assert told[0][1] == "nearly identical"


def test_the_extremes_leave_out_pairs_that_cannot_be_compared() -> None:
    nan = float("nan")
    values = np.array(
        [[0, 0.05, nan, 0.6], [0.05, 0, 0.2, nan], [nan, 0.2, 0, nan], [0.6, nan, nan, 0]]
    )
    assert extremes(["A", "B", "C", "D"], values) == (
        "By the Jensen-Shannon divergence, most alike: A and B (nearly identical, 0.05); "
        "least alike: A and D (significantly different, 0.60)."
    )
    assert extremes(["A", "C"], values[:1:1, [0, 2]].repeat(2, 0) * nan).startswith("No two")


def test_the_open_tab_stays_while_another_word_is_awaited(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_tab(open_compare("chefer"), "Zones")
    comparing.gate.clear()
    answered_of(app).target = Target("token", (0,), "Yes")
    app.run()
    assert with_map(app) == []
    comparing.gate.set()
    arrived(app)
    assert figure(app, "zone_bars")["data"]


def test_a_difference_of_two_radiographs_lies_on_the_first_and_says_so(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer")
    pin(app)
    open_tab(app, "Difference")
    assert figure(app, "difference_figure")
    assert lines_of(app, "difference_films") == []
    open_tab(open_other_radiograph(app), "Difference")
    here = figure(app, "difference_figure")["layout"]["images"][0]["source"]
    assert "another radiograph" in lines_of(app, "difference_films")[0]
    pinned = f"Pinned 1: {pins_of(app)[0].title}"
    app.selectbox(key="difference_first").select(pinned).run()
    assert "another radiograph" in lines_of(app, "difference_films")[0]
    drawn = figure(app, "difference_figure")["layout"]
    assert drawn["images"][0]["source"] != here
    pin_ = pins_of(app)[0]
    assert (drawn["images"][0]["sizex"], drawn["images"][0]["sizey"]) == (pin_.width, pin_.height)


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
