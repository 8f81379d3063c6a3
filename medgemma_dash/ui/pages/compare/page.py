"""The Compare page: one word, every method that was chosen, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.services.explaining.tasks import COMPARE
from medgemma_dash.ui.components.chip_hints import chip_hints
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.job_watch import watch
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.word_choice import answered_study, word_choice
from medgemma_dash.ui.pages.compare.details import comparison_details
from medgemma_dash.ui.pages.compare.map import comparison_map
from medgemma_dash.ui.pages.compare.state import agreement_of, start_comparing
from medgemma_dash.ui.state.methods import (
    COMPARED,
    DEFAULT_METHOD,
    FIRST_COMPARED,
    is_control,
    specs_by_family,
)
from medgemma_dash.ui.state.session import current_session, give_widget, widget_value

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost


def compare_page(host: ModelHost) -> None:
    """Draw the page; it opens with what is open on the Explain page."""
    compared = widget_value(COMPARED, FIRST_COMPARED) or ()
    count = len(compared)
    opened = answered_study(host, "1 method" if count == 1 else f"{count} methods")
    if opened is None:
        return
    study, answered, target = opened
    word_choice(study, answered, "compare_strip")
    chosen = _methods()
    if not chosen:
        line = "Choose at least one method above."
        rich_line([[Segment(line, "quiet")]], key="nothing_to_compare")
        return
    comparison = start_comparing(current_session(), host, answered, target, chosen)
    # The line of progress has a place of its own: when it goes, nothing below moves, so no map
    # stands on the page twice until the script has run to its end.
    with st.container():
        if comparison.awaited:
            # The page is drawn anew for every map that arrives.
            watch(COMPARE, news=lambda job: len(job.events) > comparison.seen)
    part_heading("Maps", "maps")
    if sum(not is_control(name) for name in chosen) > 1:
        said = agreement_of(comparison) or "Whether they agree is told when all maps are here."
        rich_line([[Segment(said, "small")]], key="maps_agree")
    comparison_map(study, answered.answer, comparison)
    part_heading("What the maps say in numbers", "details")
    comparison_details(host, study, answered, comparison)
    st.caption(RESEARCH_NOTICE)


def _methods() -> list[str]:
    """The chosen methods' names, in the order of the list."""
    methods = specs_by_family()
    titles = {spec.name: spec.title for spec in methods}
    first = [name for name in FIRST_COMPARED if name in titles] or [DEFAULT_METHOD]
    known = st.session_state.get(COMPARED)
    # Given, not a default: where the run that drew it first is overtaken, the next one would find
    # a value, draw the widget without a default, and the browser would have nothing chosen.
    give_widget(COMPARED, first if known is None else [name for name in known if name in titles])
    chosen = st.pills(
        "Methods",
        list(titles),
        selection_mode="multi",
        format_func=titles.__getitem__,
        key=COMPARED,
        persist_state="session",
        label_visibility="collapsed",
    )
    chip_hints(
        COMPARED,
        {spec.title: f"{spec.card} Cost of a word: {spec.cost}." for spec in methods},
    )
    return [name for name in titles if name in (chosen or ())]
