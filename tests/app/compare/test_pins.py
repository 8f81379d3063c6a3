"""Pinned maps, of the open radiograph and of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.state import session as keys
from tests.app.browser_events import lines_of
from tests.app.compare.compare_page import open_other_radiograph, open_tab, pin, pins_of
from tests.app.opened import figure


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
