"""Below the maps: their numbers, zones, agreement, differences and faithfulness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.figures import zone_figure
from medgemma_dash.regions import SCHEME_TITLES, zone_table
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.zones import chosen_scheme
from medgemma_dash.ui.pages.compare.faithfulness import faithfulness_table
from medgemma_dash.ui.pages.compare.pairs import agreement_of_maps, difference_of_maps
from medgemma_dash.ui.pages.compare.pins import ShownMap, shown_maps
from medgemma_dash.ui.pages.compare.state import Pins
from medgemma_dash.ui.pages.compare.table import quality_table
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.pages.compare.state import Comparison
    from medgemma_dash.ui.state.study import Answered, Study

TABS = ["Numbers", "Zones", "Agreement", "Difference", "Faithfulness"]


def comparison_details(
    host: ModelHost, study: Study, answered: Answered, comparison: Comparison
) -> None:
    """Draw the tab that is open; maps that are still awaited are left out."""
    maps = shown_maps(study, comparison, page_state(Pins).maps)
    # Drawn without any map too: tabs that go and come back forget which one was open.
    numbers, zones, pairs, difference, faithful = st.tabs(
        TABS, key="compare_tabs", on_change="rerun"
    )
    if not maps:
        return
    if numbers.open:
        with numbers:
            quality_table(study, answered, maps)
    if zones.open:
        with zones:
            _zones(maps)
    if pairs.open:
        with pairs:
            agreement_of_maps(maps)
    if difference.open:
        with difference:
            difference_of_maps(study, maps)
    if faithful.open:
        with faithful:
            faithfulness_table(host, answered.answer, comparison)


def _zones(maps: list[ShownMap]) -> None:
    """A chart for each way of naming the sides; a film whose sides are unknown has its own."""
    st.caption(
        f"Share of each map's positive relevance, {SCHEME_TITLES[chosen_scheme()]}, each on its "
        "own radiograph; the dotted line is the midline"
    )
    by_names: dict[tuple[str, ...], dict[str, list[float]]] = {}
    for place, one in enumerate(maps):
        if not one.zones.zones:
            line = f"{one.title}: {one.zones.note}"
            rich_line([[Segment(line, "quiet")]], key=f"no_zones_{place}")
            continue
        shares = [row.share for row in zone_table(one.image, one.zones).rows]
        by_names.setdefault(one.zones.names, {})[one.title] = shares
    for place, (names, tables) in enumerate(by_names.items()):
        chart(
            zone_figure(names, tables, is_dark()),
            key="zone_bars" if place == 0 else f"zone_bars_{place}",
            alt="Grouped bars: the share of each map in each of the zones.",
        )
