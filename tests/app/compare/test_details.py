"""The tabs below the compared maps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.target import Target
from medgemma_dash.methods import available
from medgemma_dash.ui.pages.compare.pairs import extremes
from tests.app.browser_events import lines_of
from tests.app.compare.compare_page import arrived, figure, open_tab, with_map
from tests.app.compare.comparing import Comparing
from tests.app.opened import answered_of


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


def test_every_map_has_a_row_in_sight_and_every_number_its_meaning(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare(*(spec.name for spec in available()))
    table = app.dataframe[0]
    assert len(table.value) >= 18
    config = json.loads(table.proto.columns)
    told = {name for name, column in config.items() if column.get("help")}
    assert {"seconds", "inside body", "border", "entropy", "peak / mean", "Gini"} <= told
    assert {"focus", "best zone", "R / L"} <= told
    assert "peak" not in table.value.columns


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
