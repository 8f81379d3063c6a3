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
from medgemma_dash.metrics.agreement_controls import JudgedAgreement, Verdict
from medgemma_dash.regions import ZoneMap
from medgemma_dash.ui.pages.compare.pairs import verdicts
from tests.app.browser_events import lines_of
from tests.app.compare.compare_page import arrived, open_tab, with_map
from tests.app.compare.comparing import Comparing
from tests.app.opened import answered_of, figure, study_of


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
    (said,) = lines_of(app, "agreement_words")
    assert said.startswith(
        "By Jensen-Shannon divergence, Chefer and Attention rollout are the same map (0.00, "
    )
    told = figure(app, "agreement_matrix")["data"][0]["customdata"]
    assert told[0][1][1].startswith("the same map<br>displaced 0.00 to")
    assert "published scale: nearly identical" in told[0][1][1]
    # The sentence follows the measure, and so does what stands below the numbers.
    app.segmented_control(key="agreement_measure").set_value("spearman").run()
    (said,) = lines_of(app, "agreement_words")
    assert said.startswith("By Spearman, Chefer")
    assert "published" not in figure(app, "agreement_matrix")["data"][0]["customdata"][0][1][1]
    app.session_state["agreement_table"] = True
    app.run()
    assert app.dataframe[0].value["verdict"].tolist() == ["the same map"]


def test_a_film_without_zones_says_why_in_place_of_bars_and_columns(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer")
    assert ", " in app.dataframe[0].value.loc["Chefer", "best zone"]
    study = study_of(app)
    for scheme, grid in list(study.zones):
        none = np.full(grid, -1, np.int8)
        study.zones[scheme, grid] = ZoneMap((), none, scheme, "No lungs here.")
    app.run()
    numbers = app.dataframe[0].value
    assert numbers.loc["Chefer", "best zone"] == ""
    assert not any("upper" in column for column in numbers.columns)
    open_tab(app, "Zones")
    assert not app.exception
    assert lines_of(app, "no_zones_0") == ["Chefer: No lungs here."]


def judged(value: float, verdict: Verdict) -> JudgedAgreement:
    return JudgedAgreement(value, 0.4, 0.6, 0.7, 0.7, verdict)


def test_only_pairs_beyond_their_controls_are_called_alike() -> None:
    pairs = {
        (0, 1): judged(0.1, "alike"),
        (0, 2): judged(0.3, "no more alike than an even map"),
        (1, 2): judged(float("nan"), "not comparable"),
    }
    assert verdicts(["A", "B", "C"], pairs, "Spearman") == (
        "By Spearman, alike: A and B (0.10, displaced 0.40 to 0.60). "
        "1 of 2 pairs are no more alike than controls."
    )
    unlike = {**pairs, (0, 1): judged(0.5, "no more alike than a random map")}
    assert verdicts(["A", "B", "C"], unlike, "Cosine") == (
        "By Cosine, none of 2 pairs is more alike than controls are."
    )
    one = {(0, 1): judged(0.5, "no more alike than a random map")}
    assert verdicts(["A", "B"], one, "Cosine") == (
        "By Cosine, A and B are no more alike than a random map (0.50, displaced 0.40 to 0.60)."
    )
    none = {(1, 2): pairs[1, 2]}
    assert verdicts(["A", "B", "C"], none, "Pearson").startswith("No two of these maps")


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
