"""What can be taken home: each file is made when its button is clicked."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.regions import zone_table
from medgemma_dash.reports.takeaway import Takeaway
from medgemma_dash.services.exporting import download_name
from medgemma_dash.ui.components.map_display import answer_display, chosen_window, windowed
from medgemma_dash.ui.components.zones import zones_of
from medgemma_dash.ui.state.session import current_session, widget_value

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

WIDTH = "figure_width"
FULL_SIZE = "Map: full size"
# Columns of journals: one, one and a half, two.
WIDTHS_MM: dict[str, float | None] = {
    FULL_SIZE: None,
    "Map: 85 mm wide": 85,
    "Map: 120 mm wide": 120,
    "Map: 180 mm wide": 180,
}


@st.fragment(key="downloads")
def downloads(host: ModelHost) -> None:
    """Draw the buttons, once there is an explanation to take home."""
    study, answered = current_session().study, current_session().answered
    if study is None or answered is None or answered.shown is None:
        return
    explanation, zones = answered.shown.explanation, zones_of(study, answered.answer.grid)
    known = answered.store.tensor(*answered.shown.made_by)
    taken = Takeaway(
        explanation=explanation,
        answer=answered.answer,
        zones=zone_table(explanation.image, zones),
        zones_note=zones.note,
        # Only when a button is clicked: windowing a film takes a second.
        pixels=partial(windowed, study.radiograph, chosen_window(study)),
        display=answer_display(answered),
        relevancy=known.relevancy,
        filled=known.filled,
        fine=known.relevance.fine,
        uploaded=study.sample is None,
        shown_window=chosen_window(study),
        is_global=tuple(layer.is_global for layer in host.model.layout.layers),
    )
    width = widget_value(WIDTH, FULL_SIZE)
    files = (
        ("Map PNG", partial(taken.png, WIDTHS_MM[width]), "png", "image/png"),
        ("Map SVG", partial(taken.svg, WIDTHS_MM[width]), "svg", "image/svg+xml"),
        ("Numbers CSV", taken.csv, "csv", "text/csv"),
        ("NPZ + JSON", taken.archive, "zip", "application/zip"),
        ("Report HTML", taken.report, "html", "text/html"),
    )
    with st.container(horizontal=True, gap="xsmall", width="content", key="downloads"):
        for label, make, extension, kind in files:
            st.download_button(
                label,
                data=make,
                file_name=download_name(explanation, extension),
                mime=kind,
                key=f"download_{extension}",
                on_click="ignore",
            )
        st.selectbox(
            "Width of the map's PNG and SVG",
            list(WIDTHS_MM),
            key=WIDTH,
            label_visibility="collapsed",
            width=160,
            persist_state="session",
        )
