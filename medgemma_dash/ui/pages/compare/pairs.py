"""Two maps at a time: how alike all pairs are, and where two of them differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.figures import number, pair_figure, relevance_figure
from medgemma_dash.metrics.agreement import (
    AGREEMENT_MEASURES,
    divergence_in_words,
    mass_difference,
)
from medgemma_dash.metrics.agreement_controls import JudgedAgreement, judged_pairs
from medgemma_dash.metrics.agreement_square import (
    BAND_HELP,
    MOST_DECIMALS,
    judged_square,
    telling_decimals,
)
from medgemma_dash.regions import shown_laterality
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.film_box import film_box
from medgemma_dash.ui.components.map_display import chosen_display, displayed_jpeg
from medgemma_dash.ui.components.one_of import one_of
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.zones import zone_names
from medgemma_dash.ui.pages.compare.pins import ShownMap
from medgemma_dash.ui.state.study import Study

MOST_NAMED = 3  # pairs in a sentence; the others stand in the table
TALLEST = "28rem"
FILM = "difference_film"


def agreement_of_maps(maps: list[ShownMap]) -> None:
    """A measure for every pair of maps on one grid, each beside its controls."""
    maps = [one for one in maps if one.grid == maps[0].grid]
    if len(maps) < 2:
        line = "Agreement needs two maps or more on the same grid."
        rich_line([[Segment(line, "quiet")]], key="no_pairs")
        return
    titles, images = [one.title for one in maps], [one.image for one in maps]
    called = {name: measure.title for name, measure in AGREEMENT_MEASURES.items()}
    name = one_of("Measure", called, "agreement_measure", called.__getitem__)
    measure = AGREEMENT_MEASURES[name]
    pairs = judged_pairs(images, name)
    square = judged_square(pairs, len(maps), measure.best)
    st.caption(f"{measure.help} {BAND_HELP}")
    rich_line([[Segment(verdicts(titles, pairs, measure.title), "small")]], key="agreement_words")
    if len({one.radiograph for one in maps}) > 1:
        line = "Some of these maps lie on different radiographs; cells are paired by place alone."
        rich_line([[Segment(line, "quiet")]], key="agreement_films")
    values = square.values
    chart(
        pair_figure(
            titles,
            values,
            measure.title,
            low=measure.low,
            high=measure.high if np.isfinite(measure.high) else float(np.nanmax(values)) or 1.0,
            best=measure.best,
            words=square.words(name),
            bands=square.bands,
            clear=square.clear,
            dark=is_dark(),
        ),
        key="agreement_matrix",
        alt=f"A table of {measure.title} for every pair of maps, with the band of controls.",
    )
    table = st.expander("as a table", key="agreement_table", on_change="rerun")
    if table.open:
        with table:
            st.dataframe(pairs_frame(titles, pairs, name), width="stretch", hide_index=True)


def verdicts(titles: list[str], pairs: dict[tuple[int, int], JudgedAgreement], measure: str) -> str:
    """Which maps are alike beyond the controls, by the measure that is chosen."""
    told = {
        (i, j): (f"{titles[i]} and {titles[j]}", found)
        for (i, j), found in pairs.items()
        if found.verdict != "not comparable"
    }
    if not told:
        return f"No two of these maps can be compared: {measure} is not defined for them."
    if len(told) == 1:
        ((pair, found),) = told.values()
        return f"By {measure}, {pair} are {found.verdict} ({_numbers(found)})."
    alike = sorted(
        ((pair, found) for pair, found in told.values() if found.alike),
        key=lambda one: one[1].margin,
        reverse=True,
    )
    rest = len(told) - len(alike)
    if not alike:
        return f"By {measure}, none of {len(told)} pairs is more alike than controls are."
    named = "; ".join(f"{pair} ({_numbers(found)})" for pair, found in alike[:MOST_NAMED])
    more = f" and {len(alike) - MOST_NAMED} more" if len(alike) > MOST_NAMED else ""
    tail = f" {rest} of {len(told)} pairs are no more alike than controls." if rest else ""
    return f"By {measure}, alike: {named}{more}.{tail}"


def _numbers(found: JudgedAgreement) -> str:
    digits = telling_decimals(found.value, (found.low, found.high))
    value, low, high = (f"{one:.{digits}f}" for one in (found.value, found.low, found.high))
    return f"{value}, displaced {low} to {high}"


def pairs_frame(
    titles: list[str], pairs: dict[tuple[int, int], JudgedAgreement], measure: str
) -> pd.DataFrame:
    """A line for each pair: the number, its controls, and the verdict."""
    rows = [
        {
            "first": titles[i],
            "second": titles[j],
            "value": found.value,
            "displaced, low": found.low,
            "displaced, high": found.high,
            "centre": found.centre,
            "even map": found.even,
            "verdict": found.verdict,
        }
        | ({"as published": divergence_in_words(found.value)} if measure == "divergence" else {})
        for (i, j), found in pairs.items()
    ]
    return pd.DataFrame(rows).round(MOST_DECIMALS)


def difference_of_maps(study: Study, maps: list[ShownMap]) -> None:
    """Each map as shares of its mass, one less the other: where they put their relevance."""
    by_title = {one.title: one for one in maps}
    titles = list(by_title)
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
        one, other = by_title[first], by_title[second]
        if one.radiograph != other.radiograph:
            line = (
                "The second map is of another radiograph. It is laid over the first one's picture "
                "cell by cell, so what differs may be where the anatomy lies."
            )
            rich_line([[Segment(line)]], key="difference_films", tone="caution")
    with picture:
        if one.grid == other.grid:
            _difference(study, one, other)
        else:
            rich_line([[Segment("Their grids differ.", "quiet")]], key="no_difference")


def _difference(study: Study, one: ShownMap, other: ShownMap) -> None:
    """Drawn on the first map's own radiograph."""
    image_map = mass_difference(one.image, other.image)
    display, film = chosen_display(), one.pin or study.radiograph
    figure = relevance_figure(
        one.pin.radiograph_jpeg if one.pin else displayed_jpeg(study),
        film.width,
        film.height,
        one.grid,
        image_map,
        signed=True,
        zone_names=zone_names(one.zones),
        mode=display.mode,
        opacity=display.opacity,
        laterality=one.pin.laterality if one.pin else str(shown_laterality(study.radiograph)),
        revision=one.radiograph,
        dark=is_dark(),
        poles=("more in the second", "more in the first"),
        peak_name="largest difference",
    )
    with film_box(FILM, film.width, film.height, tallest=TALLEST):
        chart(
            figure,
            key="difference_figure",
            height="stretch",
            tools=True,
            alt=f"Where {one.title} and {other.title} differ; the largest difference is "
            f"{number(float(np.abs(image_map).max()))} of a map's relevance.",
        )
