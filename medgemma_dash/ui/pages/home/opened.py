"""An opened record of a kind that has no page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.reports.records import record_report
from medgemma_dash.ui.components.evidence_record import show_evidence
from medgemma_dash.ui.components.interventions.record import show_interventions
from medgemma_dash.ui.components.record_frame import computed_elsewhere, record_files
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.state.records import OpenedRecord
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record


def opened_here(record: Record) -> None:
    """Draw it as it is where it was made; of another kind what its report says."""
    report = record_report(record)
    with st.container(key="opened_record"):
        st.header(report.title, anchor=False)
        computed_elsewhere(record)
        if record.kind == "evidence":
            show_evidence(record, f"record-{page_state(OpenedRecord).number}")
        elif record.kind == "interventions":
            show_interventions(record)
        else:
            lines = (f"Question: {report.question}", *report.lines)
            rich_line([[Segment(line)] for line in lines], key="record_lines")
        record_files(record)
