"""The tabs below the compared maps."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.target import Target
from medgemma_dash.methods import available
from medgemma_dash.metrics.map_quality import map_quality
from medgemma_dash.regions import ZoneMap, ZoneTable
from medgemma_dash.reports.compared import ComparedMap, compared_csv
from medgemma_dash.services.explaining.map_numbers import MapNumbers
from medgemma_dash.ui.pages.compare.pins import body_of, shown_maps
from medgemma_dash.ui.pages.compare.table import signed_words
from tests.app.browser_events import lines_of
from tests.app.compare.compare_page import (
    arrived,
    choose_methods,
    comparison_of,
    open_tab,
    pin,
    pins_of,
    with_map,
)
from tests.app.compare.comparing import Comparing
from tests.app.opened import answered_of, figure, study_of

NO_ZONES = ZoneTable((), None, 0.0)


def shown(app: AppTest, place: int = 0) -> pd.DataFrame:
    """A table's cells as they are read on the page."""
    table = app.dataframe[place]
    bytes_ = table.proto.arrow_data.styler.display_values
    return convert_arrow_bytes_to_pandas_df(bytes_).set_index(table.value.index)


def test_halves_thirds_and_quadrants_are_told_on_demand(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer")
    assert len(app.dataframe) == 1
    app.session_state["quality_parts"] = True
    app.run()
    parts = app.dataframe[1].value
    # The fake model's word leans on the fourth row of patches, from side to side.
    assert parts.loc["Chefer", ["left half", "right half"]].tolist() == [0.5, 0.5]
    assert parts.loc["Chefer", "apical third"] == pytest.approx(1)
    assert parts.loc["Chefer", ["upper left", "lower left"]].tolist() == [0.5, 0]
    assert shown(app, 1).loc["Chefer", ["upper left", "lower left"]].tolist() == ["50%", "0%"]


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
    # Numbers, so that a click on a header puts 2 before 12; and none of them a negative zero.
    numbers = table.value.drop(columns="best zone")
    assert all(kind.kind == "f" for kind in numbers.dtypes)
    assert not np.signbit(numbers.to_numpy()).any()
    # The fake model's word leans on one row of patches; a control lies in no zone.
    titles = {spec.title: spec.family for spec in available()}
    for title, zone in table.value["best zone"].items():
        assert zone == ("none" if titles[str(title)] == "control" else "Right upper")


def test_controls_get_no_mark_and_an_even_maps_share_stands_beside(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer", "random", "uniform")
    marked = ["inside body", "border", "entropy", "peak / mean"]
    told, values = shown(app), app.dataframe[0].value
    for title in ("Random map (control)", "Uniform map (control)"):
        assert not any(set(cell) & set("●◐○") for cell in told.loc[title, marked])
    assert all(cell[0] in "●◐○" for cell in told.loc["Chefer", marked[1:]])
    assert values["even map"].to_numpy() == pytest.approx(body_of(study_of(app)).mean())
    assert told.loc["Chefer", "even map"] == f"{body_of(study_of(app)).mean():.0%}"


def test_a_signed_map_says_what_its_numbers_are_of(
    open_compare: Callable[..., AppTest], makers: SimpleNamespace
) -> None:
    app = open_compare("chefer")
    found = comparison_of(app).maps[0].explanation
    assert found is not None
    image = np.zeros((16, 16), np.float32)
    image[12, 3], image[2, 2] = 0.5, -1.5
    signed = replace(found, images=(image,), signed=True)
    numbers = {"AttnLRP": MapNumbers(signed, map_quality(image), NO_ZONES, control=False)}
    said = signed_words(numbers)
    assert "AttnLRP 25% (its strongest cell, -1.50, is evidence against" in said
    assert set(numbers["AttnLRP"].marks.values()) == {None}
    flipped = replace(signed, images=(-image,))
    numbers = {"AttnLRP": MapNumbers(flipped, map_quality(-image), NO_ZONES, control=False)}
    assert signed_words(numbers).endswith("it holds: AttnLRP 75%.")
    assert numbers["AttnLRP"].marks["peak_ratio"] == "good"
    assert signed_words({"Chefer": replace(numbers["AttnLRP"], explanation=found)}) == ""


def test_the_numbers_file_says_what_every_line_is_of(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer", "random")
    pin(app)
    app.run()
    assert app.get("download_button")[0].proto.label == "Numbers CSV"
    maps = shown_maps(study_of(app), comparison_of(app), pins_of(app))
    study = study_of(app)
    written = compared_csv(
        [ComparedMap(one.title, one.film(study), one.numbers(study)) for one in maps]
    )
    lines = list(csv.DictReader(io.StringIO(written)))
    assert [line["map"] for line in lines][:2] == ["Chefer", "Random map (control)"]
    assert lines[2]["map"].startswith("Pinned 1: Chefer")
    answer = answered_of(app).answer
    for line in lines:
        assert (line["film"], line["question"]) == (study.name, answer.prompt)
        assert line["word"] == comparison_of(app).target.text.strip()
        assert line["model"] == "fake"
        assert "Research only" in line["notice"]
        # Numbers as they are, without a percent sign or a mark.
        assert 0 <= float(line["inside_body"]) <= 1
        assert float(line["even_inside_body"]) == pytest.approx(body_of(study).mean())
    assert [line["method"] for line in lines] == ["chefer", "random", "chefer"]
    assert [line["best_zone"] for line in lines] == ["Right upper", "none", "Right upper"]


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


def test_a_figures_file_names_the_methods_that_are_in_it_and_no_other(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("rollout", "occlusion")
    methods = "Methods: Attention rollout; Occlusion"
    for tab, key in (
        ("Numbers", "comparison_figure"),
        ("Zones", "zone_bars"),
        ("Agreement", "agreement_matrix"),
        ("Difference", "difference_figure"),
    ):
        open_tab(app, tab)
        caption = figure(app, key)["layout"]["meta"]["caption"]
        assert methods in caption
        assert f"Word: {comparison_of(app).target.text.strip()}" in caption
        assert not any("Chefer" in line or "Chosen" in line for line in caption)
    pin(app)
    choose_methods(app, "chefer")
    arrived(app)
    (told,) = (
        line
        for line in figure(app, "comparison_figure")["layout"]["meta"]["caption"]
        if line.startswith("Methods: ")
    )
    assert told.startswith("Methods: Chefer; Attention rollout (pinned: ")


def test_a_film_without_zones_says_why_in_place_of_bars_and_columns(
    open_compare: Callable[..., AppTest],
) -> None:
    app = open_compare("chefer")
    assert app.dataframe[0].value.loc["Chefer", "best zone"] == "Right upper"
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


def test_a_control_is_not_called_alike_by_the_table_or_the_sentence(
    open_compare: Callable[..., AppTest],
) -> None:
    # The fake model's maps are all one map: each pair without a control is the same.
    app = open_tab(open_compare("chefer", "rollout", "random"), "Agreement")
    (said,) = lines_of(app, "agreement_words")
    assert "Random" not in said
    assert said.endswith("Pairs with a control are shown, not judged.")
    app.segmented_control(key="agreement_measure").set_value("pearson")
    app.session_state["agreement_table"] = True
    app.run()
    table = app.dataframe[0].value
    assert table["verdict"].tolist() == ["the same map"] + 2 * ["a control, not judged"]
    assert table["value"].notna().all()
    # Nothing correlates with an even map: no column of nothing.
    assert "centre" in table.columns
    assert "even map" not in table.columns


def test_over_the_maps_stands_whether_they_agree_of_those_that_are_shown(
    open_compare: Callable[..., AppTest], comparing: Comparing
) -> None:
    app = open_compare("chefer", "rollout", "random")
    (said,) = lines_of(app, "maps_agree")
    assert said.startswith("By Jensen-Shannon divergence, Chefer and Attention rollout are the ")
    comparing.gate.clear()
    choose_methods(app, "chefer", "rollout", "legrad")
    assert lines_of(app, "maps_agree") == ["Whether they agree is told when all maps are here."]
    comparing.gate.set()
    (said,) = lines_of(arrived(app), "maps_agree")
    assert said.startswith("The maps agree: by Jensen-Shannon divergence, all 3 pairs")
    choose_methods(app, "chefer", "random")
    assert lines_of(arrived(app), "maps_agree") == []


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
