"""The Step by Step page: how one token's map is made, and how it is made wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.notices import RESEARCH_NOTICE
from medgemma_dash.core.numbers import number, share_percent
from medgemma_dash.services.pipeline.sentences import MADE_AT, STEPS, step_sentence
from medgemma_dash.services.pipeline.tasks import pipeline_task
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.job_watch import result_of
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.word_choice import answered_study, word_choice
from medgemma_dash.ui.components.wording import token_words
from medgemma_dash.ui.pages.steps.beside import every_mistake, mistake_beside
from medgemma_dash.ui.pages.steps.pictures import chosen_head, chosen_layer, step_picture
from medgemma_dash.ui.pages.steps.sequence import sequence_of
from medgemma_dash.ui.pages.steps.state import STEP, StepsState
from medgemma_dash.ui.pages.steps.tutorial import tutorial_pictures_popover
from medgemma_dash.ui.state.session import page_state

if TYPE_CHECKING:
    from medgemma_dash.core.answer import Answer
    from medgemma_dash.core.target import Target
    from medgemma_dash.services.pipeline.view import PipelineView
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Study

FORMULAS = (
    r"$x = (x_0, \dots, x_{S-1})$, image $V = [start,\ stop)$",
    r"$x_t = \arg\max_v\, z_v(t-1)$",
    r"$z_v(t)$ for all $t$ at once, same mask, same weights",
    r"$z = z_{x_p}(p-1)$",
    r"$(\nabla A_{l,h} \odot A_{l,h})^+$, $\ \nabla A = \partial z / \partial A$",
    r"$\bar A_l = \frac{1}{H}\sum_h (\nabla A_{l,h} \odot A_{l,h})^+$, "
    r"$\ r \leftarrow r + r\,\bar A_l,\ l = L, \dots, 1,\ r_0 = e_{p-1}$",
    r"$R_{p-1} = r$, its entries in $V$ on the grid",
)


def steps_page(host: ModelHost) -> None:
    """Draw the page for the word that is chosen."""
    opened = answered_study(host, "Chefer, step by step")
    if opened is None:
        return
    study, answered, target = opened
    word_choice(study, answered, "steps_strip")
    part_heading("Steps", "steps")
    with st.container(key="steps_columns"):
        rail, shown = st.columns([17, 83], gap="medium")
    with rail:
        place = _place(answered.answer, target)
        rail_of_steps, below = st.container(), st.container()
    with shown:
        view = _view(host, answered, target, place)
    if view is not None:
        with rail_of_steps:
            step = _rail(answered.answer, view)
        with shown:
            _step(study, answered.answer, view, step)
    with below:
        tutorial_pictures_popover()
    st.caption(RESEARCH_NOTICE)


def _place(answer: Answer, target: Target) -> int:
    """Which of the chosen tokens is gone through: each is chosen at a place of its own."""
    parts = target.parts
    if len(parts) == 1:
        return 0
    tokens = [part.token_indices[0] for part in parts]
    # With its position, for the browser tells by these words which one was chosen.
    names = [f"{token_words(answer, one)}  ({answer.tokens[one].position})" for one in tokens]
    return int(
        st.selectbox(
            f"Of {len(parts)} tokens",
            range(len(parts)),
            format_func=names.__getitem__,
            key=f"steps_token_{target.token_indices[0]}_{len(parts)}",
            persist_state="session",
        )
    )


def _view(host: ModelHost, answered: Answered, target: Target, place: int) -> PipelineView | None:
    """The numbers of this token: known, just found, or on their way."""
    state = page_state(StepsState)
    wanted = answered.answer.key, target.token_indices, target.against, place
    view = state.known(wanted)
    if view is None:
        view = result_of(
            host,
            pipeline_task(answered.store, target, place),
            wanted,
            again="go through them again",
            problem="steps_error",
        )
        if view is not None:
            state.keep(wanted, view)
    return view


def _rail(answer: Answer, view: PipelineView) -> int:
    """The steps, each with the number that it comes to; which one is chosen."""
    fidelity = answer.fidelity
    exact = "exact" if fidelity.exact else f"{len(fidelity.mismatches)} differ"
    found = (
        f"{len(answer.input_ids)} positions",
        f"{len(answer.tokens)} tokens said",
        "given, not generated" if answer.forced else exact,
        f"z = {number(view.logit)} at p-1 = {view.position - 1}",
        f"{len(view.layers.is_global)} layers, {view.gradient.shape[1]} heads",
        f"{share_percent(view.image_share)} of r on the image",
        f"{view.image_map.shape[0]} x {view.image_map.shape[1]} cells",
    )
    step: int = st.radio(
        "Step",
        range(len(STEPS)),
        format_func=lambda place: f"{place + 1}  {STEPS[place]}",
        captions=found,
        key=STEP,
        label_visibility="collapsed",
        persist_state="session",
    )
    return step


def _step(study: Study, answer: Answer, view: PipelineView, step: int) -> None:
    sequence_of(answer, view, step)
    layer = chosen_layer(view, step)
    said = step_sentence(step, answer, view, layer, chosen_head(view, layer))
    rich_line([[Segment(f"{step + 1}  {STEPS[step]}. ", "word"), Segment(said)]], key="steps_said")
    name = MADE_AT[step]
    with st.container(key="step_columns"):
        left, right = st.columns([48, 52] if name is not None else [40, 60], gap="large")
    with left:
        st.caption(FORMULAS[step])
        step_picture(study, answer, view, step)
    with right:
        if name is not None:
            mistake_beside(study, answer, view, name)
        else:
            every_mistake(study, answer, view)
