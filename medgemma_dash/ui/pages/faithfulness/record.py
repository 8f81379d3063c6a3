"""A faithfulness record as the page shows it, with the model and the film or without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.services.faithfulness.reading import (
    agreement_line,
    decision_note,
    dependence_line,
    verdicts_of,
)
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.record_frame import record_files
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.wording import quoted
from medgemma_dash.ui.pages.faithfulness.curves import removal_curves
from medgemma_dash.ui.pages.faithfulness.masked import masked_film
from medgemma_dash.ui.pages.faithfulness.numbers import record_numbers
from medgemma_dash.ui.pages.faithfulness.sanity import sanity_row
from medgemma_dash.ui.pages.faithfulness.shown import shown_method, shown_removal
from medgemma_dash.ui.pages.faithfulness.state import FaithfulnessState
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.ui.pages.faithfulness.shown import Shown

SAYS = "faithfulness_says"


def asked_line(record: Record) -> None:
    """What a record of a file is about."""
    asked, target = record.plan["asked"], record.plan["target"]
    line = [
        Segment("Tested: "),
        Segment(quoted(str(target["text"])), "word"),
        Segment(f" of the answer “{quoted(str(asked['answer']))}” to “"),
        Segment(quoted(str(asked["prompt"]))),
        Segment("”."),
    ]
    rich_line([line], key="record_asked")


def show_faithfulness(shown: Shown) -> None:
    """Image dependence and verdicts, curves beside the film at a step, checks, every number."""
    record = shown.record
    part_heading("Removed, and kept", "curves")
    with st.container(key="faithfulness_columns"):
        left, right = st.columns([62, 38], gap="medium")
    with left:
        with st.container(horizontal=True, key="faithfulness_shown", gap="medium"):
            removal = shown_removal(record)
            method = shown_method(shown.titles)
        _sentences(shown, removal)
        step = removal_curves(shown, removal, method)
    with right:
        masked_film(shown, step)
    part_heading("Sanity checks", "sanity")
    sanity_row(shown)
    part_heading("Numbers", "numbers")
    record_numbers(record, removal)
    record_files(record)


def _sentences(shown: Shown, removal: str) -> None:
    """What it says: first whether there is anything that a map could be faithful to."""

    def choose() -> None:
        if shown.live is not None and chosen_action(SAYS) == "again":
            page_state(FaithfulnessState).records.pop(shown.live.wanted, None)

    record = shown.record
    dependence = record.tables["dependence"].set_index("removal")
    depends = bool(dependence.loc[removal, "depends"])
    lines = [[Segment(dependence_line(record, removal), "plain" if depends else "warning")]]
    verdicts = verdicts_of(record)
    lines += [[Segment(one.text, "quiet" if one.failure else "plain")] for one in verdicts]
    failed = dependence.loc[dependence["failure"] != ""].index
    lines += [[Segment(dependence_line(record, str(one)), "quiet")] for one in failed]
    if shown.live is not None and (len(failed) or any(one.failure for one in verdicts)):
        lines.append([Segment("try what failed again", "action", "again")])
    small = (decision_note(record), agreement_line(record) or _alone(record))
    lines += [[Segment(line, "small")] for line in small if line]
    rich_line(lines, key=SAYS, tone="card", on_choose=choose)


def _alone(record: Record) -> str:
    if len(record.tables["dependence"]) > 1:
        return ""
    return "One removal alone proves little: the model may answer to the removal itself."
