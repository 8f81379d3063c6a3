"""What every page shows at its upper right: the model, the device, and whether they are ready.

On every page it also keeps the session's jobs alive, so that an answer that was asked for
on one page goes on while another page is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.components.job_watch import LOADING_SECONDS
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.wording import device_title, model_title
from medgemma_dash.ui.state.collecting import COLLECTED, collect
from medgemma_dash.ui.state.host import spare_collector
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

BEAT_SECONDS = 4.0


def status_header(host: ModelHost) -> None:
    """Draw the pills; they refresh themselves while the model loads."""
    with st.container(key="status"):
        if host.state == "loading":
            _loading(host)
        else:
            _pills(host)
    session = current_session()
    session.jobs.resume(host, *COLLECTED)
    # What the Explain page waits for is taken over there: on another page its failure would take
    # the word away that is being looked at.
    collect(session, explanation=False)
    if session.jobs.unfinished():
        _heartbeat()


def _pills(host: ModelHost) -> None:
    if host.state == "ready":
        line = [Segment(model_title(host), "accent-pill"), Segment(device_title(host), "pill")]
    else:
        line = [Segment("No model · see Home", "accent-pill")]
    rich_line([line], key="status_line", tone="status")


@st.fragment(run_every=LOADING_SECONDS)
def _loading(host: ModelHost) -> None:
    spare_collector(host)
    if host.state != "loading":
        st.rerun()
    line = [Segment(f"Loading the model · {host.seconds:.0f} s", "pill")]
    rich_line([line], key="status_line", tone="status")


@st.fragment(run_every=BEAT_SECONDS)
def _heartbeat() -> None:
    for job in current_session().jobs.unfinished():
        job.heartbeat()
