"""The Layers page's logic: what is looked into once, what is told, and what can be retried."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MedGemmaDashError, MethodError
from medgemma_dash.core.target import Target
from medgemma_dash.services.layers import tasks, view
from medgemma_dash.services.layers.view import LayerView
from medgemma_dash.services.runtime.job import Job
from medgemma_dash.services.runtime.queue import ABANDONED
from medgemma_dash.ui.pages.layers.state import LayersState
from tests.app.browser_events import choose_action, choose_cells, click_patch, lines_of
from tests.app.opened import answered_of, session_of

PATIENCE_SECONDS = 30
LAYERS, HEADS = 12, 8
STRONGEST = 7


@dataclass(eq=False)
class Looking:
    """In the place of looks into the model: what was asked for, and what becomes of it.

    gate: each look waits for it. failure: ends a look.
    """

    gate: Any
    looked: list[Target] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    failure: MedGemmaDashError | None = None
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, looks: int) -> None:
        """Until so many looks have begun."""
        with self._news:
            assert self._news.wait_for(
                lambda: len(self.looked) + len(self.read) >= looks, PATIENCE_SECONDS
            )

    def view_steps(
        self, current: Any, answer: Answer, target: Target, check: Callable[[], None], *_: Any
    ) -> Iterator[None]:
        self._begin(self.looked, target, check)
        return view_of(answer, target)
        yield

    def attention_of(
        self, model: Any, answer: Answer, position: int, check: Callable[[], None]
    ) -> np.ndarray:
        self._begin(self.read, position, check)
        return rows_of(answer)

    def _begin(self, noted: list[Any], what: Any, check: Callable[[], None]) -> None:
        with self._news:
            noted.append(what)
            self._news.notify_all()
        self.gate.pass_through(check)
        if self.failure is not None:
            raise self.failure


def rows_of(answer: Answer) -> np.ndarray:
    """Attention that is even, but for one layer that reads the image more than the others."""
    start, stop = answer.image_span
    rows = np.full((LAYERS, HEADS, len(answer.input_ids)), 0.001, np.float32)
    rows[STRONGEST, :, start:stop] = 0.003
    return rows


def view_of(answer: Answer, target: Target) -> LayerView:
    start, _ = answer.image_span
    gathered = np.zeros((LAYERS, len(answer.input_ids)), np.float32)
    gathered[:, start + 3 * answer.grid[1] + 5] = 1
    return LayerView(
        answer_key=answer.key,
        target=target,
        image_spans=answer.image_spans,
        grids=(answer.grid,),
        is_global=tuple(layer % 6 == 5 for layer in range(LAYERS)),
        attention=rows_of(answer),
        weighted=rows_of(answer),
        gathered=gathered,
    )


@pytest.fixture
def looking(fake: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Looking]:
    found = Looking(fake.gate())
    for name in ("view_steps", "attention_of"):
        monkeypatch.setattr(view, name, getattr(found, name))
    yield found
    found.gate.set()


@pytest.fixture
def open_layers(open_home: Callable[[], AppTest], looking: Looking) -> Callable[[], AppTest]:
    """The Layers page with the opening sample answered."""

    def open_it() -> AppTest:
        app = open_home().switch_page("pages/3_Layers.py").run()
        while not looking.looked and tasks.LAYERS not in session_of(app).jobs:
            wait_for(session_of(app).jobs.unfinished())
            app.run()
        looking.wait_for(1)
        assert not app.exception
        return app

    return open_it


def wait_for(jobs: tuple[Job[Any], ...]) -> None:
    for job in jobs:
        assert job.wait(PATIENCE_SECONDS)


def open_tab(app: AppTest, name: str) -> AppTest:
    app.session_state["layers_tabs"] = name
    return app.run()


def drawn(app: AppTest) -> set[str]:
    return {one.key.removesuffix("_chart") for one in app.get("plotly_chart")}


def figure(app: AppTest, key: str) -> dict[str, Any]:
    chart = next(one for one in app.get("plotly_chart") if one.key in (key, f"{key}_chart"))
    spec: dict[str, Any] = json.loads(chart.proto.spec)
    return spec


def test_it_opens_with_the_layers_and_heads_behind_the_answered_samples_word(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    app = open_layers()
    assert [target.text for target in looking.looked] == [" consolidation"]
    assert drawn(app) == {
        "layers_bars",
        "head_matrix",
        "head_maps",
        "gathered_map",
        "gathered_maps",
    }
    # The layer whose heads moved the logit most is the one that opens.
    assert any(f"Heads of layer {STRONGEST}," in one.value for one in app.caption)
    highest = next(one.value for one in app.caption if "highest in layer" in one.value)
    assert highest.endswith(f"highest in layer {STRONGEST} (77%), then 0, 1, 2, 3")
    assert figure(app, "layers_bars")["data"][0]["text"][STRONGEST] == f"<b>{STRONGEST}</b>"


def test_the_head_that_was_clicked_is_framed(open_layers: Callable[[], AppTest]) -> None:
    app = open_layers()

    def framed() -> tuple[float, float]:
        (frame,) = figure(app, "head_matrix")["layout"]["shapes"]
        return frame["x0"] + 0.5, frame["y0"] + 0.5

    strongest = framed()
    assert strongest[0] == STRONGEST
    for head in (0, 1):
        choose_cells(app, [(0, head)], "head_matrix")
        app.run()
        assert framed() == (0, head)
    app.select_slider(key="head_layer").set_value(STRONGEST).run()
    assert framed() == strongest


def test_a_click_chooses_a_patch_and_a_box_several(open_layers: Callable[[], AppTest]) -> None:
    app = open_layers()
    app.session_state["layers_tabs"] = "Patch to words"
    app.run()

    def chosen() -> list[tuple[float, float]]:
        shapes = figure(app, "patch_figure")["layout"].get("shapes", [])
        return [(one["x0"], one["y0"]) for one in shapes]

    click_patch(app, 3, 4, "patch_clicks")
    assert len(chosen()) == 1
    choose_cells(app, [(3, 4), (3, 5)], "patch_figure")
    assert len(chosen()) == 2
    click_patch(app, 8, 8, "patch_clicks")
    assert len(chosen()) == 1
    click_patch(app, 8, 8, "patch_clicks")
    assert chosen() == []


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


def test_the_chosen_word_is_preselected_and_the_page_says_which_row_it_shows(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    app = open_tab(open_layers(), "Attention of any token")
    target = answered_of(app).target
    assert target is not None
    token = answered_of(app).answer.tokens[target.token_indices[0]]
    picker = next(one for one in app.selectbox if one.label == "Token")
    assert picker.value == token.position
    assert lines_of(app, "attention_why")[0].startswith(f"The model chose {token.text.strip()} at")
    assert looking.read == [token.position - 1]
    app.session_state["attention_when"] = "once it was read"
    app.run()
    assert looking.read == [token.position - 1, token.position]
    assert f"from {token.text.strip()} itself" in lines_of(app, "attention_why")[0]


def test_an_image_patch_can_be_the_token_that_attends(
    open_layers: Callable[[], AppTest], looking: Looking
) -> None:
    app = open_tab(open_layers(), "Attention of any token")
    app.session_state["attention_source"] = "an image patch"
    app.run()
    start = answered_of(app).answer.image_span[0]
    # It begins at the patch on which the word leans most.
    assert looking.read[-1] == start + 3 * 16 + 5
    app.number_input[0].set_value(15)
    app.number_input[1].set_value(2).run()
    assert looking.read[-1] == start + 15 * 16 + 2
    frames = figure(app, "attention_map")["layout"]["shapes"]
    assert len(frames) == 2  # the peak's and the patch's own


def test_patches_lead_to_words_and_to_layers_that_say_what_they_read(
    open_layers: Callable[[], AppTest],
) -> None:
    app = open_layers()
    # The fake model's chosen word leans on this row.
    session_of(app).page_state(LayersState).cells = ((4, 4), (4, 5))
    open_tab(app, "Patch to words")
    assert figure(app, "patch_words")["data"][0]["x"] == pytest.approx([2 / 16])
    hover = figure(app, "patch_layers")["data"][0]["hovertext"][0]
    assert hover.endswith("of what all layers read on these patches")
