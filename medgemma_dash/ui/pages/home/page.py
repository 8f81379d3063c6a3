"""The first page: what this is, how the model is, and what to open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.ui.components.job_watch import LOADING_SECONDS
from medgemma_dash.ui.components.notice import notice_line
from medgemma_dash.ui.components.picker import sample_grid, upload_box
from medgemma_dash.ui.components.record_box import record_box
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.subject import keep_address
from medgemma_dash.ui.components.wording import device_title, model_title
from medgemma_dash.ui.state.address import shown
from medgemma_dash.ui.state.records import OpenedRecord
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import current_session, page_state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost


def home_page(
    host: ModelHost, explain: Any, record_pages: Mapping[str, Any], missing: str = ""
) -> None:
    """Draw the page; a radiograph that is opened is shown on the Explain page.

    record_pages: the pages of records by their kind; a record of another kind is shown here.
    missing: what the address names in place of a page.
    """

    def go_on() -> None:
        # With the address at hand, for another one would be an entry in the browser's history.
        st.switch_page(explain, query_params=address)

    def go_to_record(record: Record) -> None:
        if record.kind in record_pages:
            st.switch_page(record_pages[record.kind], query_params=address)

    address = current_session().address
    keep_address()

    with st.container(key="home_top"):
        what, model = st.columns([5, 3], gap="large", vertical_alignment="center")
        with what:
            st.title("Click a word, see why the model said it", anchor=False)
            st.markdown(
                "Put a question about a chest X-ray to a radiology vision-language model, and see "
                "for each word of its answer which parts of the image and of the question it "
                "leaned on."
            )
        with model:
            _model_state(host)
    if missing:
        current_session().tell(f"There is no page {shown(missing)}; the first one is shown.")
    notice_line()
    record = page_state(OpenedRecord).record
    if record is not None and record.kind not in record_pages:
        # Here, for the first page does not wait for what reports are made of.
        from medgemma_dash.ui.pages.home.opened import opened_here

        opened_here(record)
    st.header("Open a radiograph", anchor=False)
    sample_grid(samples(), go_on)
    films, records, notes = st.columns([4, 4, 3], gap="large", vertical_alignment="center")
    with films:
        upload_box("home_upload", go_on)
    with records:
        record_box(go_to_record)
    with notes:
        if current_session().study is not None:
            st.page_link(
                explain, label="Go on with the open radiograph", icon=":material/arrow_forward:"
            )
        if record is not None and record.kind in record_pages:
            st.page_link(
                record_pages[record.kind],
                label="Go on with the opened record",
                icon=":material/arrow_forward:",
            )
        st.caption(
            f"{RESEARCH_NOTICE} The samples are synthetic: they were drawn by this program, and "
            "what they show is known. Uploads stay in memory on this machine."
        )


def _model_state(host: ModelHost) -> None:
    if host.state == "loading":
        _loading(host)
    elif host.state == "failed":
        lines = [
            [Segment("The model could not be loaded.", "warning")],
            [Segment(host.message)],
            [Segment(f"Setting: MEDGEMMA_DASH_MODEL={host.settings.model}", "small")],
        ]
        rich_line(lines, key="model_state", tone="error", announce="alert")
        st.button("Try again", on_click=host.reload)
    else:
        _ready(host)


@st.fragment(run_every=LOADING_SECONDS)
def _loading(host: ModelHost) -> None:
    if host.state != "loading":
        st.rerun()
    lines = [
        [Segment("Loading the model")],
        [
            Segment(
                f"{host.message} {host.seconds:.0f} s so far; samples can be opened meanwhile.",
                "small",
            )
        ],
    ]
    rich_line(lines, key="model_state", tone="card", announce="status")


def _ready(host: ModelHost) -> None:
    model = host.model
    facts = [
        device_title(host),
        f"{model.memory_bytes / 1e6:,.0f} MB of weights",
        f"loaded in {model.load_seconds:.1f} s",
    ]
    lines = [[Segment(model_title(host), "word")], [Segment(" · ".join(facts), "small")]]
    if model.is_demo:
        lines.append(
            [
                Segment(
                    "A small model of the same architecture, trained on synthetic radiographs. Set "
                    "MEDGEMMA_DASH_MODEL=google/medgemma-1.5-4b-it to use MedGemma.",
                    "small",
                )
            ]
        )
    rich_line(lines, key="model_state", tone="card")
