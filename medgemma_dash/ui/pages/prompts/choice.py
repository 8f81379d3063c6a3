"""What is asked: phrasings made by rule, the reader's own, changes of the image, the method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.errors import MedGemmaDashError, PromptError
from medgemma_dash.imaging.perturbations import STANDARD, read_perturbation
from medgemma_dash.services.prompts.plan import OWN as OWN_STRATEGY
from medgemma_dash.services.prompts.plan import prompts_of
from medgemma_dash.services.prompts.variants import variants_of
from medgemma_dash.ui.components.rich_line import LineTone, Segment, rich_line
from medgemma_dash.ui.components.wording import duration
from medgemma_dash.ui.pages.prompts.state import (
    FIRST_PHRASINGS,
    OTHER_PERTURBATIONS,
    OWN,
    PERTURBATIONS,
    PROMPTS_METHOD,
    STRATEGIES,
    PromptsChoice,
    PromptsState,
)
from medgemma_dash.ui.state.methods import DEFAULT_METHOD, specs_by_family
from medgemma_dash.ui.state.session import give_widget, page_state, widget_value

if TYPE_CHECKING:
    from medgemma_dash.services.prompts.variants import Variant

POPOVER = "prompts_choice"
CHANGES = tuple(one.name for one in STANDARD)
NO_RULE = (
    "No rule makes another phrasing of this question: it does not ask, in a form that is known, "
    "whether something is there. Write your own below, or ask about changed copies of the film."
)
LONGEST_LIST = 64  # phrasings of the reader's own


def no_rule_line(question: str) -> None:
    """Why nothing is under way."""
    if not variants_of(question):
        rich_line([[Segment(NO_RULE)]], key="prompts_no_rule", tone="note")


def prompts_choice(question: str) -> None:
    """The quiet line of what is asked, and one click to more; open where nothing was asked yet."""
    state = page_state(PromptsState)
    made = variants_of(question)
    choice = state.choice(question)
    if choice is None:
        _form(question, made)
        return
    with st.container(horizontal=True, key="prompts_tools", vertical_alignment="center"):
        rich_line([[Segment(_asked_words(choice), "small")]], key="prompts_asked")
        popover = st.popover(
            "Change what is asked", key=POPOVER, on_change="rerun", type="tertiary"
        )
        if popover.open:
            with popover:
                _form(question, made)
        for key, label, more in _one_click(question, choice, made):
            st.button(label, key=key, type="tertiary", on_click=_want, args=(more,))


def _asked_words(choice: PromptsChoice) -> str:
    phrasings = 1 + len(choice.variants)
    films = "the film itself"
    if choice.perturbations:
        count = len(choice.perturbations)
        films += f" and {count} changed {'copy' if count == 1 else 'copies'}"
    return f"Asked in {phrasings} phrasing{'s' * (phrasings > 1)} about {films}"


def _one_click(
    question: str, choice: PromptsChoice, made: tuple[Variant, ...]
) -> list[tuple[str, str, PromptsChoice]]:
    """More of the same: every phrasing, and these about the standard changes too."""
    pairs = tuple((one.strategy, one.prompt) for one in made)
    own = tuple(pair for pair in choice.variants if pair not in pairs)
    variants = (*pairs, *own)
    offers = []
    every = PromptsChoice(question, variants, choice.perturbations, choice.method)
    if every != choice and set(pairs) - set(choice.variants):
        offers.append(("prompts_every", f"All {1 + len(variants)} phrasings", every))
    both = PromptsChoice(question, variants, CHANGES, choice.method)
    if set(CHANGES) - set(choice.perturbations):
        label = f"And {len(CHANGES)} changed copies of the film ({both.answers} answers)"
        offers.append(("prompts_changes", label, both))
    return offers


def _want(choice: PromptsChoice) -> None:
    """Have it computed, and the widgets say the same."""
    state = page_state(PromptsState)
    state.wanted[choice.question] = choice
    strategies = [strategy for strategy, _ in choice.variants]
    key = f"{STRATEGIES}_{state.number(choice.question)}"
    st.session_state[key] = [one for one in strategies if not one.startswith(OWN_STRATEGY)]
    st.session_state[PERTURBATIONS] = [one for one in choice.perturbations if one in CHANGES]


def _form(question: str, made: tuple[Variant, ...]) -> None:
    number = page_state(PromptsState).number(question)
    with st.container(key="prompts_form"):
        if made:
            names = [one.strategy for one in made]
            key = f"{STRATEGIES}_{number}"
            give_widget(key, st.session_state.get(key, names[:FIRST_PHRASINGS]))
            st.pills(
                "Made by rule",
                names,
                selection_mode="multi",
                key=key,
                persist_state="session",
                help="Technical and plain words as published, and other forms by rules of English.",
            )
            lines = [[Segment(f"{one.strategy}: {one.prompt}", "small")] for one in made]
            rich_line(lines, key="prompts_made")
        st.text_area(
            "Your own, one a line",
            key=f"{OWN}_{number}",
            height=90,
            persist_state="session",
            placeholder="Any sign of an infection?",
        )
        st.pills(
            "Changes of the film",
            CHANGES,
            selection_mode="multi",
            key=PERTURBATIONS,
            persist_state="session",
            help="Each phrasing is asked about each changed copy. Noise: sigma in grey levels of "
            "255; contrast, brightness: factor; blur: sigma in pixels; rotation: degrees; pixels: "
            "five of them, by a share of the grey range.",
        )
        left, right = st.columns(2)
        with left:
            st.text_input(
                "Other changes",
                key=OTHER_PERTURBATIONS,
                persist_state="session",
                placeholder="noise 5, rotation -3",
            )
        with right:
            methods = {spec.name: spec.title for spec in specs_by_family() if spec.contrastive}
            give_widget(PROMPTS_METHOD, widget_value(PROMPTS_METHOD, DEFAULT_METHOD))
            st.selectbox(
                "Method of the maps",
                list(methods),
                format_func=methods.__getitem__,
                key=PROMPTS_METHOD,
                persist_state="session",
                help="Those that can explain a decision between yes and no.",
            )
        tone: LineTone = "quiet"
        try:
            told = _costs(question, _chosen(question))
        except MedGemmaDashError as error:
            told, tone = str(error), "caution"
        rich_line([[Segment(told, "small")]], key="prompts_costs", tone=tone, announce="status")
        st.button("Ask", key="prompts_ask", type="primary", on_click=_ask, args=(question,))


def _costs(question: str, choice: PromptsChoice) -> str:
    """How many answers, and about how long where that is known from the last time."""
    count = f"{choice.answers} answers, each with a map"
    known = page_state(PromptsState).earlier(question)
    if known is None:
        return f"{count}."
    seconds = known.provenance.seconds / max(1, len(known.tables["prompts"])) * choice.answers
    return f"{count}: about {duration(seconds)}."


def _ask(question: str) -> None:
    """What the widgets hold now; where that cannot be asked, the line above the button says so."""
    try:
        choice = _chosen(question)
    except MedGemmaDashError:
        return
    _want(choice)
    st.session_state[POPOVER] = False


def _chosen(question: str) -> PromptsChoice:
    """Raises PromptError or ImageError for what cannot be asked."""
    number = page_state(PromptsState).number(question)
    strategies = widget_value(f"{STRATEGIES}_{number}", ())
    variants = {
        one.strategy: one.prompt for one in variants_of(question) if one.strategy in strategies
    }
    lines = widget_value(f"{OWN}_{number}", "").splitlines()
    own = list(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
    if len(own) > LONGEST_LIST:
        raise PromptError(f"{len(own)} phrasings of your own are too many: {LONGEST_LIST} at most.")
    variants |= {f"{OWN_STRATEGY} {place}": text for place, text in enumerate(own, 1)}
    typed = widget_value(OTHER_PERTURBATIONS, "").replace(";", ",").split(",")
    names = [*widget_value(PERTURBATIONS, ()), *(one for one in typed if one.strip())]
    changes = tuple(dict.fromkeys(read_perturbation(one).name for one in names))
    prompts = prompts_of(question, variants)
    if len(prompts) == 1 and not changes:
        raise PromptError("Choose another phrasing, write one, or choose a change of the film.")
    return PromptsChoice(
        question,
        tuple((one.strategy, one.prompt) for one in prompts[1:]),
        changes,
        widget_value(PROMPTS_METHOD, DEFAULT_METHOD),
    )
