"""What is tested, and how: the quiet line above a test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.metrics.answer_parsing import parse_answer
from medgemma_dash.services.faithfulness.plan import REMOVALS
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.pages.faithfulness.state import (
    TESTED_METHODS,
    TESTED_REMOVALS,
    FaithfulnessState,
    Wanted,
)
from medgemma_dash.ui.state.methods import DEFAULT_METHOD, is_control, specs_by_family
from medgemma_dash.ui.state.session import give_widget, page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.target import Target

FIRST_REMOVAL = "mean token"
YES, NO = "Yes", "No"
REMOVAL_HELP = {
    "mean token": "Token space: a removed cell's soft token becomes the image's mean one.",
    "another patient": "Token space: it becomes another radiograph's soft token at its place.",
    "blur": "Pixel space: the cell is blurred by 10 pixels, and the picture encoded again.",
    "mean grey": "Pixel space: the cell has the picture's mean grey.",
    "inpainting": "Pixel space: the cell is painted over from what surrounds it.",
}


def chosen_methods() -> tuple[str, ...]:
    """The methods that the reader wants tested, in the order of the list."""
    offered = [spec.name for spec in specs_by_family() if not is_control(spec.name)]
    chosen = widget_value(TESTED_METHODS, [DEFAULT_METHOD]) or ()
    return tuple(name for name in offered if name in chosen)


def chosen_removals() -> tuple[str, ...]:
    """The removals; the first one tested stays in front, for the sanity checks lean on it."""
    chosen = widget_value(TESTED_REMOVALS, [FIRST_REMOVAL]) or ()
    return tuple(name for name in REMOVALS if name in chosen)


def choices(answer: Answer, target: Target) -> Wanted:
    """Draw the line; what it asks for."""
    state = page_state(FaithfulnessState)
    with st.container(horizontal=True, key="faithfulness_choices", vertical_alignment="center"):
        _methods()
        _removals()
        if len(chosen_removals()) < len(REMOVALS):
            st.button(
                "Test by all removals",
                key="all_removals",
                type="tertiary",
                on_click=_choose_all_removals,
                help="One removal alone proves little: the model may answer to the removal itself.",
            )
        _decision(answer, target, state)
    # A probability has no runner-up: of a contrast the word alone is tested.
    tested: Target | tuple[str, str] = replace(target, against=None)
    if target.against is not None:
        line = "Tested is the word alone: what is watched is a probability, which no contrast has."
        rich_line([[Segment(line, "quiet")]], key="contrast_not_tested", tone="quiet")
    if state.decision is target:
        tested = (YES, NO) if (answer.margin or 0.0) >= 0 else (NO, YES)
        side, other = tested
        line = (
            f"Tested is the decision and no word: {side} rather than {other}, where the answer "
            f"begins; p is the share of {side} against {other} there."
        )
        rich_line([[Segment(line, "quiet")]], key="decision_tested", tone="quiet")
    return Wanted(tested, chosen_methods(), chosen_removals())


def _methods() -> None:
    popover = st.popover("Methods", key="methods_tested", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    titles = {one.name: one.title for one in specs_by_family() if not is_control(one.name)}
    give_widget(TESTED_METHODS, list(chosen_methods()))
    with popover:
        st.pills(
            "Methods whose maps are tested",
            list(titles),
            selection_mode="multi",
            format_func=titles.__getitem__,
            key=TESTED_METHODS,
            persist_state="session",
        )
        st.caption("Random, centre and blurred-random rankings always stand beside them.")


def _removals() -> None:
    popover = st.popover("Removals", key="removals_tested", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    give_widget(TESTED_REMOVALS, list(chosen_removals()))
    with popover:
        st.pills(
            "How parts of the image are removed",
            list(REMOVALS),
            selection_mode="multi",
            key=TESTED_REMOVALS,
            persist_state="session",
        )
        for removal, words in REMOVAL_HELP.items():
            st.caption(f"{removal.capitalize()}. {words}")


def _choose_all_removals() -> None:
    st.session_state[TESTED_REMOVALS] = list(REMOVALS)


def _decision(answer: Answer, target: Target, state: FaithfulnessState) -> None:
    """A yes/no answer's decision is tested in the place of its words, and back."""
    if state.decision is target:
        st.button("Test the word", key="test_word", type="tertiary", on_click=_leave_decision)
    elif answer.margin is not None and parse_answer(answer.text) != "uncertain":
        st.button(
            "Test the decision",
            key="test_decision",
            type="tertiary",
            on_click=_choose_decision,
            args=(target,),
            help="Yes rather than No at the answer's first place, or the other way round, as it "
            "fell: what is watched is the probability of one side against the other.",
        )


def _choose_decision(target: Target) -> None:
    page_state(FaithfulnessState).decision = target


def _leave_decision() -> None:
    page_state(FaithfulnessState).decision = None
