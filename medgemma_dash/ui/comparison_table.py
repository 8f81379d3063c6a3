"""The Compare page's numbers, a line for each method."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.imaging import body_mask
from medgemma_dash.metrics.map_quality import MapQuality, Mark, has_sink, map_quality
from medgemma_dash.regions import zone_table
from medgemma_dash.ui.method_choice import chosen_settings, specs
from medgemma_dash.ui.rich_line import Segment, rich_line
from medgemma_dash.ui.session import Study
from medgemma_dash.ui.zones import zones_of

MARKS: dict[Mark | None, str] = {"good": "●", "acceptable": "◐", "poor": "○", None: ""}


def quality_table(study: Study, maps: dict[str, Explanation]) -> None:
    """Cost, map quality and zones of every map; all on raw values."""
    if study.body is None:
        study.body = body_mask(study.radiograph.pixels)
    body = study.body
    rows = {title: _row(study, one, map_quality(one.image, body)) for title, one in maps.items()}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "method"
    with st.container(key="quality_table"):
        st.dataframe(
            frame,
            width="stretch",
            column_config={
                "_index": st.column_config.Column(width="medium"),
                "seconds": st.column_config.NumberColumn(format="%.3f"),
                "R / L": st.column_config.NumberColumn(format="%.2f"),
                "Gini": st.column_config.NumberColumn(format="%.2f"),
            },
        )
    st.caption(
        "● good · ◐ acceptable · ○ poor. Inside body: at least 70%, 50%. Border: at most 5%, 10%. "
        "Entropy in nats: below 3 focused, above 4 diffuse, 5.55 even. Peak: above 5 clear."
    )
    sinks = [title for title, one in maps.items() if _sink(study, one)]
    if sinks:
        line = (
            f"Attention sink: for most words one and the same cell holds over a fifth of the map "
            f"in {', '.join(sinks)}. What a word says of the image may hide behind it."
        )
        rich_line([[Segment(line)]], key="sinks", tone="caution")


def _row(study: Study, one: Explanation, quality: MapQuality) -> dict[str, object]:
    table = zone_table(one.image, zones_of(study, (one.image.shape[0], one.image.shape[1])))
    best = max(table.rows, key=lambda row: row.share)
    numbers: dict[str, object] = {
        "seconds": one.provenance.seconds,
        "inside body": _marked(f"{quality.inside_body:.0%}", quality.inside_body_mark),
        "border": _marked(f"{quality.border:.0%}", quality.border_mark),
        "entropy": _marked(f"{quality.entropy:.2f}", quality.entropy_mark),
        "peak": _marked(f"{quality.peak_ratio:.0f}", quality.peak_mark),
        "Gini": quality.gini,
        "focus": _percent(quality.focus),
        "best zone": best.name if best.share > 0 else "",
        "R / L": table.right_left_ratio,
    }
    return numbers | {row.name: _percent(row.share) for row in table.rows}


def _marked(text: str, mark: Mark | None) -> str:
    return f"{MARKS[mark]} {text}" if mark is not None else ""


def _percent(share: float) -> str:
    return "" if np.isnan(share) else f"{share:.0%}"


def _sink(study: Study, one: Explanation) -> bool:
    """Whether the rows known of this method share one heavy cell."""
    spec = next(spec for spec in specs() if spec.name == one.method)
    if study.store is None or study.answer is None or not spec.per_token:
        return False
    known = study.store.tensor(one.method, chosen_settings(spec))
    start, stop = study.answer.image_span
    rows = known.relevancy[known.filled, start:stop]
    return has_sink([row.reshape(study.answer.grid) for row in rows])
