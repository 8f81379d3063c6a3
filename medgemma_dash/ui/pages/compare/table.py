"""The Compare page's numbers, a line for each map."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.metrics.map_quality import MapQuality, Mark
from medgemma_dash.regions import zone_table
from medgemma_dash.services.explaining.word_shares import attention_sink
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.pages.compare.pins import ShownMap
from medgemma_dash.ui.state.methods import specs
from medgemma_dash.ui.state.study import Answered, Study

COLUMNS = {
    "_index": st.column_config.Column(width="medium"),
    "seconds": st.column_config.NumberColumn(
        format="%.3g", help="What this map cost here, the answer's replay at hand."
    ),
    "inside body": st.column_config.TextColumn(help="Share of the map's relevance on the body."),
    "border": st.column_config.TextColumn(
        help="Share of it on the outermost ring of patches, where nothing of the chest lies."
    ),
    "entropy": st.column_config.TextColumn(
        help="How spread out the map is, in nats: 0 is all in one patch, 5.55 an even map of 256."
    ),
    "peak / mean": st.column_config.TextColumn(
        help="The highest patch over the mean patch: how far the peak stands out. The peak that "
        "stands under a map's title is the raw value of that patch."
    ),
    "Gini": st.column_config.NumberColumn(
        format="%.2f", help="How unevenly relevance is spread: 0 is even, 1 is all in one patch."
    ),
    "focus": st.column_config.TextColumn(
        help="The largest share of the map that a window of a quarter of the height and a quarter "
        "of the width holds."
    ),
    "best zone": st.column_config.TextColumn(help="The lung zone that holds most for its area."),
    "R / L": st.column_config.NumberColumn(
        format="%.2f",
        help="Relevance in the zones of the patient's right over that in those of the left; – "
        "where the left has none, or the film's sides are unknown.",
    ),
}

MARKS: dict[Mark | None, str] = {"good": "●", "acceptable": "◐", "poor": "○", None: ""}


def quality_table(study: Study, answered: Answered, maps: list[ShownMap]) -> None:
    """Cost, map quality and zones of every map; all on raw values."""
    qualities = {one.title: one.quality(study) for one in maps}
    rows = {one.title: _row(one, qualities[one.title]) for one in maps}
    numbers_table(_frame(rows), key="quality_table", columns=COLUMNS)
    st.caption(
        "● good · ◐ acceptable · ○ poor. Inside body: at least 70%, 50%. Border: at most 5%, 10%. "
        "Entropy in nats: below 3 focused, above 4 diffuse as published; 5.55 even. Peak / "
        "mean: above 5 clear. "
        "Best zone: the one that holds most for its area; 1x is what an even map puts there."
    )
    _sinks(answered, maps)
    parts = st.expander("Halves, thirds and quadrants", key="quality_parts", on_change="rerun")
    if parts.open:
        with parts:
            st.caption("Share of each map's positive relevance; sides are those of the picture")
            shares = {title: parts_of(one) for title, one in qualities.items()}
            numbers_table(_frame(shares), key="parts_table", columns={})


def parts_of(quality: MapQuality) -> dict[str, str]:
    """Shares on halves, thirds of the height and quadrants, in words of the picture."""
    shares = {
        "left half": quality.left,
        "right half": quality.right,
        "apical third": quality.apical,
        "middle third": quality.middle,
        "basal third": quality.basal,
    }
    names = ("upper left", "upper right", "lower left", "lower right")
    shares |= dict(zip(names, quality.quadrants, strict=True))
    return {name: _percent(share) for name, share in shares.items()}


def _frame(rows: dict[str, dict[str, object]] | dict[str, dict[str, str]]) -> pd.DataFrame:
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "map"
    return frame


def _row(one: ShownMap, quality: MapQuality) -> dict[str, object]:
    table = zone_table(one.image, one.zones)
    best = table.densest
    numbers: dict[str, object] = {
        "seconds": one.explanation.provenance.seconds,
        "inside body": _marked(f"{quality.inside_body:.0%}", quality.inside_body_mark),
        "border": _marked(f"{quality.border:.0%}", quality.border_mark),
        "entropy": _marked(f"{quality.entropy:.2f}", quality.entropy_mark),
        "peak / mean": _marked(f"{quality.peak_ratio:.0f}", quality.peak_mark),
        "Gini": quality.gini,
        "focus": _percent(quality.focus),
        "best zone": "" if best is None else f"{best.name}, {best.density:.1f}x",
        "R / L": table.right_left_ratio,
    }
    return numbers | {row.name: _percent(row.share) for row in table.rows}


def _marked(text: str, mark: Mark | None) -> str:
    return f"{MARKS[mark]} {text}" if mark is not None else ""


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{share:.0%}"


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
