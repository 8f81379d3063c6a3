"""The Methods page's logic: every method is described by itself, and timed on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, get_args

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.target import Target
from medgemma_dash.methods import available
from medgemma_dash.methods.specification import Family
from medgemma_dash.metrics.bootstrap import Interval
from medgemma_dash.services.evaluation.benchmark import BenchmarkSummary, MethodScore
from medgemma_dash.services.explaining import steps
from medgemma_dash.services.explaining.steps import MethodOutcome
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import TIME
from medgemma_dash.ui.components.rich_line import reason_line
from medgemma_dash.ui.pages.methods import scores as method_scores
from tests.app.browser_events import choose_action, lines_of
from tests.app.opened import session_of

PATIENCE_SECONDS = 30


class Timing:
    """In the place of `compare_steps`: what was timed, and how a run ends."""

    def __init__(self, gate: Any) -> None:
        self.gate = gate
        self.timed: list[Target] = []

    def __call__(
        self,
        current: Any,
        store: RelevanceStore,
        target: Target,
        methods: Any,
        context: Any,
        note_seconds: Callable[[str, float], None],
    ) -> Iterator[None]:
        self.timed.append(target)
        for place, (method, options) in enumerate(methods):
            context.progress(place, len(methods))
            self.gate.pass_through(context.check)
            if method == "tam":
                context.emit(MethodOutcome(method, options, None, "The memory was not enough."))
            else:
                note_seconds(method, 0.125)
            yield


@pytest.fixture
def timing(fake: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Timing]:
    found = Timing(fake.gate())
    monkeypatch.setattr(steps, "compare_steps", found)
    yield found
    found.gate.set()


@pytest.fixture
def open_methods(open_home: Callable[[], AppTest], timing: Timing) -> Callable[[], AppTest]:
    return lambda: open_home().switch_page("pages/9_Methods.py").run()


def cards(app: AppTest) -> str:
    return "\n".join(one.value for one in (*app.markdown, *app.caption))


def test_every_method_has_a_line_and_its_familys_card_says_what_it_says_of_itself(
    open_methods: Callable[[], AppTest],
) -> None:
    app = open_methods()
    assert not app.exception
    assert sorted(app.dataframe[0].value.index) == sorted(spec.title for spec in available())
    for family in get_args(Family):
        app.session_state["method_family"] = family
        app.run()
        text, formulas = cards(app), [one.value for one in app.latex]
        for spec in available():
            assert (spec.card in text) == (spec.family == family)
            assert (spec.source in text) == (spec.family == family)
            assert any(spec.formula in one for one in formulas) == (spec.family == family)


def test_without_a_model_it_says_why(
    open_methods: Callable[[], AppTest], lose_model: Callable[[str], None]
) -> None:
    lose_model("No such model.")
    app = open_methods()
    assert lines_of(app, "methods_wait") == ["No such model."]
    assert not app.dataframe


def test_without_a_stored_benchmark_the_methods_are_there_all_the_same(
    open_methods: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(method_scores, "BENCHMARK", tmp_path / "none.json")
    app = open_methods()
    assert lines_of(app, "no_benchmark") == ["No benchmark is stored."]
    assert len(app.dataframe[0].value) == len(available())


def test_a_method_that_the_stored_benchmark_lacks_says_that_it_was_not_measured(
    open_methods: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = open_methods()
    family = get_args(Family)[0]
    measured.session_state["method_family"] = family
    assert "not measured" not in cards(measured.run())
    score = BenchmarkSummary.score
    monkeypatch.setattr(
        BenchmarkSummary, "score", lambda of, name: None if name == "chefer" else score(of, name)
    )
    app = open_methods()
    app.session_state["method_family"] = family
    assert cards(app.run()).count("Benchmark: not measured.") == 1
    assert app.dataframe[0].value["peak on lesion"].isna()["Chefer"]


def test_seconds_of_the_benchmark_are_shown_where_it_measured_them(
    open_methods: Callable[[], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "seconds, benchmark" not in open_methods().dataframe[0].value
    interval = MethodScore.interval
    monkeypatch.setattr(
        MethodScore,
        "interval",
        lambda score, name: (
            Interval(0.25, 0.2, 0.3)
            if name == "seconds" and score.name == "tam"
            else interval(score, name)
        ),
    )
    seconds = open_methods().dataframe[0].value["seconds, benchmark"].dropna()
    assert seconds.to_dict() == {"Token activation map": 0.25}


def test_timing_needs_an_answer(open_methods: Callable[[], AppTest]) -> None:
    app = open_methods()
    assert app.button(key="time_methods").disabled
    assert lines_of(app, "timing_needs") == [
        "Timing needs an answer: ask a question on the Explain page first."
    ]


def test_timing_fills_in_the_seconds_and_says_what_could_not_be_timed(
    open_explain: Callable[[], AppTest], timing: Timing
) -> None:
    app = open_explain().switch_page("pages/9_Methods.py").run()
    # The Explain page's click counts as well: it is known what its method cost.
    assert lines_of(app, "timing_needs") == []
    known = app.dataframe[0].value["seconds here"].dropna()
    assert known.index.tolist() == ["Chefer"]
    app.button(key="time_methods").click().run()
    assert [target.token_indices for target in timing.timed] == [(4,)]
    job = session_of(app).jobs.get(TIME)
    assert job is not None
    assert job.wait(PATIENCE_SECONDS)
    app.run()
    seconds = app.dataframe[0].value["seconds here"]
    assert seconds["LeGrad"] == 0.125
    assert seconds.isna().sum() == 1
    assert lines_of(app, "untimed") == ["Token activation map: The memory was not enough."]
    # A reason that names the method already does not get its name twice.
    told = reason_line("Token activation map", "Token activation map found no relevance at all.")
    assert [one.text for one in told] == ["Token activation map found no relevance at all."]


def test_scores_are_rounded_once() -> None:
    score = SimpleNamespace(interval=lambda name: Interval(0.80852, 0.8, 0.82))
    # Rounded to 80.85 first, what is shown would be 80.8; as benchmark.md has it, it is 80.9.
    assert method_scores.columns(score)["peak on lesion"] == 80.9


def test_a_cancelled_timing_says_so_and_can_begin_again(
    open_explain: Callable[[], AppTest], timing: Timing
) -> None:
    app = open_explain().switch_page("pages/9_Methods.py").run()
    timing.gate.clear()
    app.button(key="time_methods").click().run()
    job = session_of(app).jobs.get(TIME)
    assert job is not None
    choose_action(app, "cancel_timing", "cancel")
    assert job.wait(PATIENCE_SECONDS)
    app.run()
    assert lines_of(app, "untimed") == [
        "This was stopped on request. What was timed before is kept."
    ]
    assert not app.button(key="time_methods").disabled
