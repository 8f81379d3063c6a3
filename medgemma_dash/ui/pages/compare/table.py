"""The Compare page's numbers, a line for each map."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from medgemma_dash.figures import number
from medgemma_dash.metrics.map_quality import MapQuality, Mark
from medgemma_dash.reports.compared import ComparedMap, compared_csv
from medgemma_dash.services.explaining.headline import ZONE_FACTOR, ZONE_SHARE, percent
from medgemma_dash.services.explaining.map_numbers import MapNumbers
from medgemma_dash.services.explaining.word_shares import attention_sink
from medgemma_dash.services.exporting.names import comparison_name
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.whole_table import more_to_the_right
from medgemma_dash.ui.pages.compare.pins import ShownMap
from medgemma_dash.ui.state.methods import specs
from medgemma_dash.ui.state.study import Answered, Study

BEST_ZONE, DENSITY, EVEN = "best zone", "for its area", "even map"
NO_ZONE = "none"
# Numbers that a column shows without a format: the table's own text of a cell stands there, which
# carries the mark, while sorting and the file that the table saves have the number.
COLUMNS = {
    "_index": st.column_config.Column(width="medium"),
    "seconds": st.column_config.NumberColumn(
        help="What this map cost here, the answer's replay at hand."
    ),
    "inside body": st.column_config.NumberColumn(help="Share of the map's relevance on the body."),
    EVEN: st.column_config.NumberColumn(
        help="What an even map has inside the body, which is the body's share of the picture: the "
        "control for the column before."
    ),
    "border": st.column_config.NumberColumn(
        help="Share of it on the outermost ring of patches, where nothing of the chest lies."
    ),
    "entropy": st.column_config.NumberColumn(
        help="How spread out the map is, in nats: 0 is all in one patch, 5.55 an even map of 256."
    ),
    "peak / mean": st.column_config.NumberColumn(
        help="The highest patch over the mean patch: how far the peak stands out. The peak that "
        "stands under a map's title is the raw value of that patch; of a signed map it is the "
        "highest patch of evidence for."
    ),
    "Gini": st.column_config.NumberColumn(
        help="How unevenly relevance is spread: 0 is even, 1 is all in one patch."
    ),
    "focus": st.column_config.NumberColumn(
        help="The largest share of the map that a window of a quarter of the height and a quarter "
        "of the width holds."
    ),
    BEST_ZONE: st.column_config.TextColumn(
        help=f"The lung zone that holds most for its area, where it holds at least {ZONE_FACTOR} "
        f"times what its area alone would bring it and {percent(ZONE_SHARE)} of the map; else "
        f"{NO_ZONE}."
    ),
    DENSITY: st.column_config.NumberColumn(
        help="How many times as much the best zone holds as an even map puts there."
    ),
    "R / L": st.column_config.NumberColumn(
        help="Relevance in the zones of the patient's right over that in those of the left; – "
        "where the left has none, or the film's sides are unknown.",
    ),
}
# Of the other columns, which are shares.
FORMATS = {
    "seconds": "{:.3g}",
    "entropy": "{:.2f}",
    "peak / mean": "{:.0f}",
    "Gini": "{:.2f}",
    BEST_ZONE: "{}",
    DENSITY: "{:.1f}x",
    "R / L": "{:.2f}",
}
MARKS: dict[Mark | None, str] = {"good": "● ", "acceptable": "◐ ", "poor": "○ ", None: ""}
MARKED = {
    "inside body": "inside_body",
    "border": "border",
    "entropy": "entropy",
    "peak / mean": "peak_ratio",
}


def quality_table(study: Study, answered: Answered, maps: list[ShownMap]) -> None:
    """Cost, map quality and zones of every map; all on raw values."""
    numbers = {one.title: one.numbers(study) for one in maps}
    numbers_table(
        numbers_frame(numbers), key="quality_table", columns=COLUMNS, style=partial(marked, numbers)
    )
    more_to_the_right()
    st.caption(
        "● good · ◐ acceptable · ○ poor. Inside body: at least 70%, 50%, and more than an even "
        "map. Border: at most 5%, 10%. Entropy in nats: below 3 focused, above 4 diffuse as "
        "published; 5.55 even. Peak / mean: above 5 clear. Controls get no mark."
    )
    signed = signed_words(numbers)
    if signed:
        rich_line([[Segment(signed, "small")]], key="signed_maps")
    compared = [ComparedMap(one.title, one.film(study), numbers[one.title]) for one in maps]
    st.download_button(
        "Numbers CSV",
        data=partial(compared_csv, compared),
        file_name=comparison_name(maps[0].explanation, "csv"),
        mime="text/csv",
        key="numbers_csv",
        type="tertiary",
        on_click="ignore",
        help="Every number of every map, with the film, question, word, method and model that it "
        "is of.",
    )
    _sinks(answered, maps)
    parts = st.expander("Halves, thirds and quadrants", key="quality_parts", on_change="rerun")
    if parts.open:
        with parts:
            st.caption("Share of each map's positive relevance; sides are those of the picture")
            shares = {title: parts_of(one.quality) for title, one in numbers.items()}
            numbers_table(_frame(shares), key="parts_table", columns={}, style=_styled)


def parts_of(quality: MapQuality) -> dict[str, float]:
    """Shares on halves, thirds of the height and quadrants, in words of the picture."""
    shares = {
        "left half": quality.left,
        "right half": quality.right,
        "apical third": quality.apical,
        "middle third": quality.middle,
        "basal third": quality.basal,
    }
    names = ("upper left", "upper right", "lower left", "lower right")
    return shares | dict(zip(names, quality.quadrants, strict=True))


def numbers_frame(numbers: dict[str, MapNumbers]) -> pd.DataFrame:
    """A line a map; a column that no map has a number in is left out."""
    frame = _frame({title: _row(one) for title, one in numbers.items()})
    return frame.drop(columns=[DENSITY]) if frame[DENSITY].isna().all() else frame


def marked(numbers: dict[str, MapNumbers], frame: pd.DataFrame) -> Styler:
    """Some columns of these maps; cells hold numbers, and are shown with their marks."""
    styled = _styled(frame)
    for title, one in numbers.items():
        for column, field in MARKED.items():
            mark = one.marks[field]
            if mark is not None and column in frame:
                shown = f"{MARKS[mark]}{_format(column)}"
                styled.format(shown, subset=pd.IndexSlice[[title], [column]])
    return styled


def signed_words(numbers: dict[str, MapNumbers]) -> str:
    """Of signed maps, what their numbers are of; "" without one."""
    told = []
    for title, one in numbers.items():
        if one.explanation.signed and not np.isnan(one.positive_share):
            said = f"{title} {percent(one.positive_share)}"
            if one.strongest < 0:
                said += (
                    f" (its strongest cell, {number(one.strongest)}, is evidence against, so it "
                    "gets no mark and no zone)"
                )
            told.append(said)
    if not told:
        return ""
    return (
        "Of signed maps every number is of the positive part, the evidence for. Of the whole it "
        f"holds: {'; '.join(told)}."
    )


def _frame(rows: dict[str, dict[str, object]] | dict[str, dict[str, float]]) -> pd.DataFrame:
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "map"
    return frame


def _styled(frame: pd.DataFrame) -> Styler:
    return frame.style.format({name: _format(name) for name in frame.columns}, na_rep="–")


def _format(column: str) -> str:
    return FORMATS.get(column, "{:.0%}")


def _row(one: MapNumbers) -> dict[str, object]:
    quality, zone = one.quality, one.zone
    row: dict[str, object] = {
        "seconds": one.explanation.provenance.seconds,
        "inside body": quality.inside_body,
        EVEN: quality.even_inside_body,
        "border": quality.border,
        "entropy": quality.entropy,
        "peak / mean": quality.peak_ratio,
        "Gini": quality.gini,
        "focus": quality.focus,
    }
    if one.zones.rows:
        row |= {
            BEST_ZONE: NO_ZONE if zone is None else zone.name,
            DENSITY: np.nan if zone is None else zone.density,
        }
    else:
        row |= {BEST_ZONE: "", DENSITY: np.nan}
    ratio = one.zones.right_left_ratio
    row["R / L"] = np.nan if ratio is None else ratio
    return row | {zone_row.name: zone_row.share for zone_row in one.zones.rows}


def _sinks(answered: Answered, maps: list[ShownMap]) -> None:
    """Which methods have an attention sink, and of which that is not known yet."""
    judged = {one.title: _sink(answered, one) for one in maps if one.pin is None and _by_word(one)}
    sinks = [title for title, found in judged.items() if found]
    unknown = [title for title, found in judged.items() if found is None]
    if sinks:
        line = (
            "Attention sink: for most words one and the same cell holds over a fifth of the map "
            f"in {', '.join(sinks)}. What a word says of the image may hide behind it."
        )
        rich_line([[Segment(line)]], key="sinks", tone="caution")
    if unknown:
        line = f"Attention sink: not known for {', '.join(unknown)}; explain every word first."
        rich_line([[Segment(line, "small")]], key="sinks_unknown", tone="quiet")


def _by_word(one: ShownMap) -> bool:
    """Whether the method tells words apart; of the others every cell is like a sink."""
    return next(spec.per_token for spec in specs() if spec.name == one.explanation.method)


def _sink(answered: Answered, one: ShownMap) -> bool | None:
    known = answered.store.tensor(one.explanation.method, one.options)
    return attention_sink(answered.answer, known.relevancy, known.filled)
