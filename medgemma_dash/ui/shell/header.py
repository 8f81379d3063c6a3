"""What every page shows at its upper right: the model, the device, and whether they are ready.

On every page it also keeps the session's jobs alive, so that an answer that was asked for
on one page goes on while another page is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from medgemma_dash.services.evidence.tasks import EVIDENCE
from medgemma_dash.ui.components.connection_watch import Returned, connection_watch
from medgemma_dash.ui.components.job_watch import LOADING_SECONDS
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.wording import device_title, model_title
from medgemma_dash.ui.state.address import address_in, search_of
from medgemma_dash.ui.state.collecting import COLLECTED, collect
from medgemma_dash.ui.state.honouring import check_method, honour
from medgemma_dash.ui.state.host import spare_collector
from medgemma_dash.ui.state.session import Notice, Session, current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

BEAT_SECONDS = 4.0
SESSION_LOST = (
    "The connection to the program was lost, and what was open with it. The sample and the "
    "question in the address are opened again."
)


def status_header(host: ModelHost) -> None:
    """Draw the pills; they refresh themselves while the model loads."""
    with st.container(key="status"):
        if host.state == "loading":
            _loading(host)
        else:
            _pills(host)
    session = current_session()
    session.jobs.resume(host, *COLLECTED)
    returned = connection_watch(session.owner)
    if returned is not None and returned.session in (session.owner, session.came_from):
        returned = None  # nothing was lost, or it was said
    _read_address(session, returned)
    if returned is not None:
        session.came_from = returned.session
        if session.study is not None and session.notice is None:
            session.notice = Notice("note", SESSION_LOST)
    if host.state == "ready" and not session.method_checked:
        check_method(session)
        session.method_checked = True
    # What the Explain page waits for is taken over there: on another page its failure would take
    # the word away that is being looked at.
    collect(session, explanation=False)
    # What each word owes to the image is weighed for the Explain page, which watches it itself.
    if session.jobs.unfinished(EVIDENCE):
        _heartbeat()


def _read_address(session: Session, returned: Returned | None) -> None:
    """Honour the URL of a new session, and one that the reader went back or forward to.

    returned: the page whose earlier session was lost; it knows its address, where Streamlit sends
    the one with which it was opened.
    It counts as read only when it was honoured to the end: another run may be asked for in the
    middle, and this one ends where it next looks at the session.
    """
    if not session.unread and _by_history():
        session.unread, session.notice = "again", None
    if not session.unread and returned is None:
        return
    session.method_checked = False
    address = st.query_params.to_dict() if returned is None else address_in(returned.search)
    again = session.unread == "again"
    honour(session, address, again=again)
    if again:
        session.reached = search_of(address)
    session.unread = ""


def _by_history() -> bool:
    """Whether this run was caused by the browser's Back or Forward."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


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
        job.heartbeat(in_sight=False)  # its own page says when it is
