"""Below the maps: their numbers, zones, agreement and differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.figures import number, pair_figure, relevance_figure, zone_figure
from medgemma_dash.metrics.agreement import MEASURES, agreement_matrix, mass_difference
from medgemma_dash.regions import zone_table
from medgemma_dash.ui.chart import chart
from medgemma_dash.ui.comparison import Comparison
from medgemma_dash.ui.comparison_faithfulness import faithfulness_table
from medgemma_dash.ui.comparison_table import quality_table
from medgemma_dash.ui.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.rich_line import Segment, rich_line
from medgemma_dash.ui.session import Study, current_session
from medgemma_dash.ui.theme import is_dark
from medgemma_dash.ui.zones import SCHEME_TITLES, chosen_scheme, zone_names, zones_of

if TYPE_CHECKING:
    from medgemma_dash.services.model_host import ModelHost

TABS = ["Numbers", "Zones", "Agreement", "Difference", "Faithfulness"]
DIFFERENCE_PX = 420


def comparison_details(host: ModelHost, study: Study, comparison: Comparison) -> None:
    """Draw the tab that is open; maps that are still awaited are left out."""
    maps = {one.title: one.explanation for one in comparison.maps if one.explanation is not None}
    if not maps:
        return
    numbers, zones, pairs, difference, faithful = st.tabs(
        TABS, key="compare_tabs", on_change="rerun"
    )
    if numbers.open:
        with numbers:
            quality_table(study, maps)
    if zones.open:
        with zones:
            _zones(study, maps)
    pinned = {
        f"Pinned {i + 1}: {p.title}": p.explanation for i, p in enumerate(current_session().pins)
    }
    if pairs.open:
        with pairs:
            _agreement(maps | pinned)
    if difference.open:
        with difference:
            _difference(study, maps | pinned)
    if faithful.open:
        with faithful:
            faithfulness_table(host, study, comparison)


def _zones(study: Study, maps: dict[str, Explanation]) -> None:
    assert study.answer is not None  # noqa: S101  answered
    zones = zones_of(study, study.answer.grid)
    tables = {title: zone_table(one.image, zones) for title, one in maps.items()}
    names = [row.name for row in next(iter(tables.values())).rows]
    st.caption(
        f"Share of each map's positive relevance, {SCHEME_TITLES[chosen_scheme()]}; "
        "the dotted line is the midline"
    )
    chart(
        zone_figure(
            names,
            {title: [row.share for row in table.rows] for title, table in tables.items()},
            is_dark(),
        ),
        key="zone_bars",
        alt="Grouped bars: the share of each method's map in each of the zones.",
    )


def _agreement(maps: dict[str, Explanation]) -> None:
    sizes = {one.image.shape for one in maps.values()}
    if len(maps) < 2 or len(sizes) > 1:
        line = "Agreement needs two maps or more on the same grid."
        rich_line([[Segment(line, "quiet")]], key="no_pairs")
        return
    titles = list(maps)
    name = st.segmented_control(
        "Measure",
        list(MEASURES),
        default=next(iter(MEASURES)),
        required=True,
        format_func=lambda key: MEASURES[key].title,
        key="agreement_measure",
        persist_state="session",
        label_visibility="collapsed",
    )
    measure = MEASURES[name]
    values = agreement_matrix([one.image for one in maps.values()], name)
    st.caption(measure.help)
    chart(
        pair_figure(
            titles,
            values,
            measure.title,
            low=measure.low,
            high=measure.high if np.isfinite(measure.high) else float(np.nanmax(values)) or 1.0,
            best=measure.best,
            dark=is_dark(),
        ),
        key="agreement_matrix",
        alt=f"A table of {measure.title} for every pair of maps.",
    )


def _difference(study: Study, maps: dict[str, Explanation]) -> None:
    """Each map as shares of its mass, one less the other: where they put their relevance."""
    titles = list(maps)
    if len(titles) < 2:
        line = "A difference needs two maps."
        rich_line([[Segment(line, "quiet")]], key="no_difference")
        return
    choice, picture = st.columns([30, 70], gap="medium")
    with choice:
        first = st.selectbox("This map", titles, key="difference_first")
        others = [title for title in titles if title != first]
        second = st.selectbox("less this map", others, key="difference_second")
        st.caption(
            "Each map is divided by its mass first. Red: the first puts more of its relevance "
            "here; blue: the second."
        )
    one, other = maps[first].image, maps[second].image
    if one.shape != other.shape:
        rich_line([[Segment("Their grids differ.", "quiet")]], key="no_difference")
        return
    image_map = mass_difference(one, other)
    radiograph = study.radiograph
    display = chosen_display()
    with picture:
        figure = relevance_figure(
            displayed_jpeg(study),
            radiograph.width,
            radiograph.height,
            (one.shape[0], one.shape[1]),
            image_map,
            signed=True,
            zone_names=zone_names(zones_of(study, (one.shape[0], one.shape[1]))),
            mode=display.mode,
            opacity=display.opacity,
            laterality=str(radiograph.laterality),
            revision=radiograph.sha256,
            dark=is_dark(),
            height_px=DIFFERENCE_PX,
        )
        chart(
            figure,
            key="difference_figure",
            tools=True,
            alt=f"Where {first} and {second} differ; the largest difference is "
            f"{number(float(np.abs(image_map).max()))} of a map's relevance.",
        )
