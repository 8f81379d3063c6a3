"""What stands around a record on its page: where it is from, and its files."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.record_files import record_zip
from medgemma_dash.reports.html import html_page
from medgemma_dash.reports.records import record_report
from medgemma_dash.reports.records.common import model_words
from medgemma_dash.services.questions.plan import KIND
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.state.actions import open_sample
from medgemma_dash.ui.state.records import close_record
from medgemma_dash.ui.state.samples import sample_of
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.ui.state.samples import Sample

DIGEST_CHARACTERS = 12
ELSEWHERE = "computed_elsewhere"


def computed_elsewhere(record: Record) -> None:
    """Say that this was opened from a file, of what it is, and how to leave it."""
    facts = record.provenance
    sample = _own_sample(record)

    def choose() -> None:
        match chosen_action(ELSEWHERE):
            case "close":
                close_record()
            case "film" if sample is not None:
                open_sample(current_session(), sample)

    digests = ", ".join(f"sha256 {one[:DIGEST_CHARACTERS]}…" for one in facts.images[:2])
    more = f" and {len(facts.images) - 2:,} more" if len(facts.images) > 2 else ""
    films = f"{digests or 'no radiograph'}{more}"
    stop = "" if films.endswith("…") else "."
    line = [
        Segment("Computed elsewhere", "warning"),
        Segment(f", by {model_words(facts)}, on {films}{stop} "),
        Segment("close it", "action", "close"),
    ]
    if sample is not None:
        line += [Segment("  "), Segment(f"open its film, “{sample.title}”", "action", "film")]
    rich_line([line], key=ELSEWHERE, tone="note", announce="status", on_choose=choose)


def _own_sample(record: Record) -> Sample | None:
    """The program's own film that a record's maps lie on, where another one is open."""
    films, study = record.provenance.images[:1], current_session().study
    if record.kind == KIND or not (films and record.maps):  # of a set each map has its own
        return None
    if study is not None and study.radiograph.sha256 == films[0]:
        return None
    return sample_of(films[0])


def record_files(record: Record, *, part: str = "") -> None:
    """The record and its report, to take home; each is made when its button is clicked.

    part: tells the buttons apart from others on the page.
    """
    name = record_name(record)
    with st.container(horizontal=True, gap="xsmall", width="content", key=f"{part}record_files"):
        st.download_button(
            "Record ZIP",
            data=partial(record_zip, record),
            file_name=f"{name}.zip",
            mime="application/zip",
            key=f"{part}download_record",
            on_click="ignore",
        )
        st.download_button(
            "Report HTML",
            data=lambda: html_page(record_report(record)),
            file_name=f"{name}.html",
            mime="text/html",
            key=f"{part}download_record_report",
            on_click="ignore",
        )


def record_name(record: Record) -> str:
    """For example "3f2a90bc11de-words", of what was computed and never of what a user typed."""
    digest = re.sub(r"[^0-9a-f]", "", "".join(record.provenance.images[:1]))[:DIGEST_CHARACTERS]
    return "-".join(part for part in (digest, record.kind) if part)
