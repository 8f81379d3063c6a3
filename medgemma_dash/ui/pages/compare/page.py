"""The Compare page: one word, every method that was chosen, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.ui.components.job_watch import POLL_SECONDS, line_with_cancel, methods_done
from medgemma_dash.ui.components.method_picker import (
    DEFAULT_METHOD,
    specs_by_family,
)
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.word_choice import answered_study, word_choice
from medgemma_dash.ui.pages.compare.details import comparison_details
from medgemma_dash.ui.pages.compare.map import comparison_map
from medgemma_dash.ui.pages.compare.state import start_comparing
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost

FIRST_METHODS = (
    "chefer",
    "chefer_normalized",
    "attnlrp",
    "rollout",
    "text_to_image_attention",
    "gradcam",
)


def compare_page(host: ModelHost) -> None:
    """Draw the page; it opens with what is open on the Explain page."""
    study = answered_study(host)
    if study is None:
        return
    word_choice(study, "compare_strip")
    chosen = _methods()
    if not chosen:
        line = "Choose at least one method above."
        rich_line([[Segment(line, "quiet")]], key="nothing_to_compare")
        return
    comparison = start_comparing(current_session(), host, study, chosen)
    # The line of progress has a place of its own: when it goes, nothing below moves, so no map
    # stands on the page twice until the script has run to its end.
    with st.container():
        if comparison.awaited:
            _progress()
    comparison_map(study, comparison)
    comparison_details(host, study, comparison)
    st.caption(RESEARCH_NOTICE)


def _methods() -> list[str]:
    """The chosen methods' names, in the order of the list."""
    titles = {spec.name: spec.title for spec in specs_by_family()}
    first = [name for name in FIRST_METHODS if name in titles] or [DEFAULT_METHOD]
    known = st.session_state.get(keys.COMPARED)
    if known is not None:
        keys.give_widget(keys.COMPARED, [name for name in known if name in titles])
    chosen = st.pills(
        "Methods",
        list(titles),
        selection_mode="multi",
        default=None if known is not None else first,
        format_func=titles.__getitem__,
        key=keys.COMPARED,
        persist_state="session",
        label_visibility="collapsed",
    )
    return [name for name in titles if name in (chosen or ())]


@st.fragment(run_every=POLL_SECONDS)
def _progress() -> None:
    """How far the comparison is; the page is drawn anew for every map that arrives."""
    comparison = current_session().comparison
    if comparison is None or comparison.job is None or comparison.news():
        st.rerun()
    comparison.job.heartbeat()
    line_with_cancel(comparison.job, "cancel_compare", methods_done(comparison.job))
