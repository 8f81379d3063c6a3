"""The answer as words to choose from, and other ways to choose: phrase, whole answer, all words."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import streamlit as st

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.tasks import ASK, EXPLAIN
from medgemma_dash.services.explaining.word_shares import (
    image_shares,
    ranked,
    shares_on_cells,
    together,
)
from medgemma_dash.ui.components.answer_words import (
    fill_line,
    fills,
    no_answer_line,
    runners_up_words,
    weighed_words,
)
from medgemma_dash.ui.components.job_watch import answer_stream
from medgemma_dash.ui.components.method_picker import method_picker
from medgemma_dash.ui.components.redraw import PARTS, redraw
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.token_strip import TokenChoice, token_strip
from medgemma_dash.ui.components.wording import NOTHING_SAID, unit_words
from medgemma_dash.ui.pages.explain.image_need import image_need_popover
from medgemma_dash.ui.pages.explain.state import ExplainState
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.actions import choose_words, explain_every_word
from medgemma_dash.ui.state.methods import chosen_method, chosen_options, shown_method
from medgemma_dash.ui.state.session import Session, Underline, current_session, page_state
from medgemma_dash.ui.state.word_targets import phrase_spans, said_something

if TYPE_CHECKING:
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Study


@st.fragment(key="answer")
def answer_panel(host: ModelHost) -> None:
    """Draw the answer, or its stream while it is being said.

    A fragment in every state, so that the other parts can always ask for it to be drawn anew.
    """
    session = current_session()
    if ASK in session.jobs:
        answer_stream(host)
    elif session.study is not None and session.answered is not None:
        _answer(host, session.study, session.answered)
    elif session.study is not None:
        no_answer_line(host, "Ask a question about this radiograph, or choose one above.")


def _answer(host: ModelHost, study: Study, answered: Answered) -> None:
    session, answer = current_session(), answered.answer
    spec, options = shown_method(study)
    known = answered.store.tensor(spec.name, options)
    words = together(known.relevancy, known.filled, answer.units)
    weighed = weighed_words(answered)
    with st.container(key="tokens"):
        token_strip(
            answer.tokens,
            answer.words,
            key="token_strip",
            generation=study.generation,
            selected=_selected(answered.target),
            measure=session.underline,
            image_shares=image_shares(answer, known.relevancy, known.filled),
            word_shares=image_shares(answer, *words),
            effects=weighed.effects,
            word_effects=weighed.words,
            word_marks=weighed.marks,
            runners_up=runners_up_words(answer),
            computed=tuple(int(index) for index in np.flatnonzero(known.filled)),
            busy=EXPLAIN in session.jobs,
            note=_stop_note(answer),
            on_choose=lambda choice: _choose(host, choice),
        )
        if not said_something(answer):
            rich_line([[Segment(NOTHING_SAID)]], key="nothing_said", tone="caution")
    with st.container(
        horizontal=True, gap="small", key="answer_tools", vertical_alignment="center"
    ):
        method_picker()
        _phrase_popover(host, answer)
        st.button(
            f"Underline {_next_underline(session)}",
            key="underline",
            type="tertiary",
            help="The words are underlined by how much of their relevance lies on the image, by "
            "how probable the model found them, or by how much of that a blank image takes.",
            on_click=_change_underline,
        )
        if not fills(study):
            done = bool(known.filled.all())
            st.button(
                "Every word is explained" if done else "Explain every word",
                key="explain_all",
                type="tertiary",
                disabled=done,
                help="Fills the map of every word, so that each is instant and a hovered patch "
                "can say which words leaned on it.",
                on_click=explain_every_word,
                args=(session, host, spec.name, options),
            )
        image_need_popover(host, answered)
    fill_line(study)
    cell = page_state(ExplainState).cell
    if cell is not None:
        _cell_line(study, answered, cell)


def _explain(host: ModelHost, span: tuple[int, int] | None, *, phrase: bool = False) -> None:
    """Explain these tokens and draw anew what depends on it."""
    session = current_session()
    had_notice = session.notice is not None
    spec = chosen_method()
    choose_words(session, host, span, spec.name, chosen_options(spec), phrase=phrase)
    if session.notice is None and not had_notice:
        redraw(*PARTS)
    st.rerun()


def _choose(host: ModelHost, choice: TokenChoice) -> None:
    _explain(host, None if choice.whole else (choice.start, choice.stop))


def _next_underline(session: Session) -> Underline:
    every = get_args(Underline)
    following: Underline = every[(every.index(session.underline) + 1) % len(every)]
    return following


def _change_underline() -> None:
    session = current_session()
    session.underline = _next_underline(session)


def _selected(target: Target | None) -> tuple[int, int] | None:
    if target is None or target.kind == "answer":
        return None
    return target.token_indices[0], target.token_indices[-1] + 1


def _stop_note(answer: Answer) -> str:
    return "The answer was cut at the length limit." if answer.stopped == "length" else ""


def _phrase_popover(host: ModelHost, answer: Answer) -> None:
    popover = st.popover("Find a phrase", key="phrase_popover", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    with popover:
        phrase = st.text_input(
            "Phrase in the answer", key=keys.PHRASE, max_chars=200, persist_state="session"
        )
        if not phrase.strip():
            st.caption("Every place where the answer says it is listed here.")
            return
        try:
            spans = phrase_spans(answer, phrase)
        except TargetError as error:
            rich_line(
                [[Segment(str(error))]], key="phrase_error", tone="caution", announce="status"
            )
            return
        for place, (start, stop) in enumerate(spans):
            before, middle, after = _context(answer, start, stop)
            line = [Segment(before, "quiet"), Segment(middle, "word"), Segment(after, "quiet")]
            rich_line([line], key=f"occurrence_line_{place}")
            st.button(
                f"Explain place {place + 1} of {len(spans)}",
                key=f"occurrence_{place}",
                on_click=_choose_phrase,
                args=(host, start, stop),
            )


def _choose_phrase(host: ModelHost, start: int, stop: int) -> None:
    _explain(host, (start, stop), phrase=True)


def _context(answer: Answer, start: int, stop: int) -> tuple[str, str, str]:
    texts = [token.text for token in answer.tokens]
    before, after = "".join(texts[max(0, start - 4) : start]), "".join(texts[stop : stop + 4])
    return before.lstrip(), "".join(texts[start:stop]), after.rstrip()


def _cell_line(study: Study, answered: Answered, cell: tuple[int, int]) -> None:
    """Which words leaned on the clicked cell, from the rows that are known."""
    spec, options = shown_method(study)
    row, col = cell
    answer, known = answered.answer, answered.store.tensor(spec.name, options)
    words = together(known.relevancy, known.filled, answer.units)
    sums = shares_on_cells(answer, *words, [cell])
    order = ranked(sums)
    line = [Segment(f"Row {row}, column {col} (from 0): ", "quiet")]
    if not order:
        line.append(Segment("no explained word leaned on this patch.", "quiet"))
    for place, index in enumerate(order[:4]):
        line.append(Segment(", " if place else "leaned on by ", "quiet"))
        line.append(Segment(unit_words(answer, answer.units[index]), "word"))
        line.append(Segment(f" {100 * float(sums[index]):.0f}%", "quiet"))
    if order:
        line.append(Segment(" of each word's relevance on the image.", "quiet"))
    unknown = int(np.isnan(sums).sum())
    if unknown:
        line.append(Segment(f" {unknown} words are not explained yet.", "quiet"))
    rich_line([line], key="cell_line", tone="quiet", announce="status")
