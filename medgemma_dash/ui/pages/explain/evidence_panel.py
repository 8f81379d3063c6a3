"""Everything that the explanation says in words and numbers: sentence, layers, words, zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Target
from medgemma_dash.figures import layer_figure, prompt_words_figure
from medgemma_dash.regions import SCHEME_TITLES, ZoneTable, zone_table
from medgemma_dash.services.explaining.headline import Headline, headline, percent, strength_of
from medgemma_dash.services.explaining.prompt_words import prompt_words
from medgemma_dash.services.explaining.tasks import EXPLAIN
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.job_watch import watch
from medgemma_dash.ui.components.previous_answer import earlier_choice_line
from medgemma_dash.ui.components.redraw import PARTS, redraw
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.components.wording import (
    fidelity_warning,
    how_line,
    read_contrast,
    strength_segments,
    target_words,
    why_sentence,
)
from medgemma_dash.ui.components.zone_grid import zone_grid
from medgemma_dash.ui.components.zones import zones_of
from medgemma_dash.ui.pages.explain.image_need import image_need_line, image_need_progress
from medgemma_dash.ui.pages.explain.state import FilmState
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.actions import choose
from medgemma_dash.ui.state.methods import (
    chosen_method,
    chosen_options,
    method_words,
    shown_method,
)
from medgemma_dash.ui.state.session import current_session, page_state
from medgemma_dash.ui.state.word_targets import contrasted

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Shown, Study

SENTENCE = "why_sentence"
SMALLEST_SHARE = 0.005
LAYERS_HEIGHT_PX = 122  # the page fits a window of 900 pixels


@st.fragment(key="evidence")
def evidence_panel(host: ModelHost) -> None:
    """Draw what is known about the selected target."""
    session = current_session()
    study, answered = session.study, session.answered
    if study is None or answered is None:
        return
    # A place of its own: the line would otherwise push down what stands below it, and Streamlit
    # builds anew what has moved. The table's frame alone loads five megabytes of script for that.
    with st.container():
        if EXPLAIN in session.jobs:
            earlier_choice_line()
            watch(EXPLAIN)
    answer, shown = answered.answer, answered.shown
    if answered.problem and answered.target is not None:
        _no_explanation(answer, answered.target, answered.problem)
        return
    if shown is None:
        return
    zones = zone_table(shown.explanation.image, zones_of(study, answer.grid))
    known = answered.store.tensor(*shown.made_by)
    strength = strength_of(shown.explanation, answer, known.relevancy, known.filled)
    said = headline(shown.explanation, zones, strength)
    _sentence(host, study, shown, answer, said)
    left, right = st.columns(2, gap="medium")
    with left:
        _layers(host, shown.explanation)
        _words(shown.explanation, answer)
    with right:
        _zones(study, zones, named=said.zone.name if said.zone else "")


def _no_explanation(answer: Answer, target: Target, problem: str) -> None:
    line = [
        Segment("No explanation for "),
        Segment(target_words(answer, target), "word"),
        Segment(f", because {problem}"),
    ]
    rich_line([line], key=SENTENCE, tone="card", announce="status")


def _sentence(host: ModelHost, study: Study, shown: Shown, answer: Answer, said: Headline) -> None:
    spec, options = shown_method(study)
    how = how_line(answer, method_words(spec.name, options), shown.seconds)
    if said.strength is not None:
        how = [*how, Segment("  "), *strength_segments(said.strength)]
    lines = [
        why_sentence(
            shown.explanation,
            answer,
            said,
            generation=study.generation,
            contrastive=spec.contrastive,
        ),
        how,
    ]
    warning = fidelity_warning(answer)
    if warning:
        lines.append([Segment(warning, "warning")])
    lines.extend(image_need_line(study, shown.explanation.target))
    rich_line(
        lines, key=SENTENCE, tone="card", announce="status", on_choose=lambda: _contrast(host)
    )
    image_need_progress(host, study)


def _contrast(host: ModelHost) -> None:
    """Explain the word against the runner-up that was clicked, or against nothing again."""
    session = current_session()
    study, answered = session.study, session.answered
    clicked = read_contrast(chosen_action(SENTENCE))
    if study is None or answered is None or answered.explanation is None or clicked is None:
        return
    explained = answered.explanation.target.token_indices
    if clicked.generation != study.generation or explained != (clicked.token_index,):
        return  # it stood in a sentence about another word
    had_notice = session.notice is not None
    session.notice = None
    target = contrasted(answered.answer, clicked.token_index, clicked.candidate)
    spec = chosen_method()
    choose(session, host, target, spec.name, chosen_options(spec))
    if session.notice is None and not had_notice:
        redraw(*PARTS)
    st.rerun()


def _layers(host: ModelHost, explanation: Explanation) -> None:
    is_global = [layer.is_global for layer in host.model.layout.layers]
    with st.container(key=keys.LAYERS):
        with st.container(horizontal=True, horizontal_alignment="distribute", key="layers_title"):
            st.caption("Attention to the image by layer", width="content")
            _numbers_popover(explanation, is_global)
        chart(
            layer_figure(explanation.layers, is_global, is_dark(), height_px=LAYERS_HEIGHT_PX),
            key="layer_figure",
            alt="Bars: for each decoder layer, the share of attention that goes to the image.",
        )


def _numbers_popover(explanation: Explanation, is_global: list[bool]) -> None:
    popover = st.popover("as a table", key="layers_table", on_change="rerun", type="tertiary")
    if popover.open:
        kinds = ["global" if one else "sliding" for one in is_global]
        with popover, st.container(key="layers_menu"):
            st.dataframe(
                pd.DataFrame(
                    {
                        "layer": range(len(kinds)),
                        "attention to the image": explanation.layers,
                        "kind": kinds,
                    }
                ),
                hide_index=True,
                width="stretch",
            )


def _words(explanation: Explanation, answer: Answer) -> None:
    words = prompt_words(explanation, answer)
    with st.container(key="prompt_words"):
        st.caption("Words that mattered")
        if not words:
            rich_line(
                [[Segment("None: all of its relevance lies elsewhere.", "small")]], key="no_words"
            )
            return
        chart(
            prompt_words_figure(words, is_dark()),
            key="prompt_words_figure",
            alt="Bars: relevance of the words before the target.",
        )


def _rezone() -> None:
    """The zones stand in the table, in the map's hover text and in the downloads."""
    redraw(*PARTS)


def _light_zones(names: tuple[str, ...]) -> None:
    """The chosen rows' zones are lit on the film."""
    page_state(FilmState).lit_zones = names
    redraw("map")


def _zones(study: Study, zones: ZoneTable, *, named: str) -> None:
    with st.container(key=keys.ZONES):
        with st.container(horizontal=True, horizontal_alignment="distribute", key="zones_title"):
            st.caption("Lung zones", width="content")
            st.selectbox(
                "Zone scheme",
                list(SCHEME_TITLES),
                format_func=lambda scheme: SCHEME_TITLES[scheme],
                key=keys.ZONE_SCHEME,
                on_change=_rezone,
                label_visibility="collapsed",
                width=170,
                persist_state="session",
            )
        if not zones.rows:
            rich_line([[Segment(zones.note, "quiet")]], key="no_zones", tone="quiet")
            return
        known = study.radiograph.laterality != "unknown"
        title = "patient's side" if known else "image side"
        zone_grid(
            zones,
            title,
            film=str(study.number),
            named=named,
            chosen=page_state(FilmState).chosen_rows,
            container=keys.ZONES,
            on_choose=_light_zones,
        )
        parts = []
        if zones.right_left_ratio is not None:
            parts.append(f"Right / left {zones.right_left_ratio:.1f}")
        if zones.outside_share >= SMALLEST_SHARE:
            parts.append(f"outside the zones {percent(zones.outside_share)}")
        parts.append(zones.note)
        rich_line([[Segment(" · ".join(part for part in parts if part), "small")]], key="zone_line")
