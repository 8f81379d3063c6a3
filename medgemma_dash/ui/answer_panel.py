"""The answer as words to choose from, and other ways to choose: phrase, whole answer, all words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.explanation import Target
from medgemma_dash.ui import session as keys
from medgemma_dash.ui.actions import (
    choose,
    chosen_target,
    explain_every_word,
    phrase_spans,
)
from medgemma_dash.ui.job_watch import answer_stream, filling_progress
from medgemma_dash.ui.method_choice import chosen_method, chosen_settings, method_picker
from medgemma_dash.ui.redraw import PARTS, redraw
from medgemma_dash.ui.rich_line import Segment, rich_line
from medgemma_dash.ui.session import Study, current_session
from medgemma_dash.ui.token_strip import TokenChoice, token_strip
from medgemma_dash.ui.wording import quoted

if TYPE_CHECKING:
    from medgemma_dash.services.model_host import ModelHost
    from medgemma_dash.services.relevance_store import RelevanceTensor


@st.fragment(key="answer")
def answer_panel(host: ModelHost) -> None:
    """Draw the answer, or its stream while it is being said.

    A fragment in every state, so that the other parts can always ask for it to be drawn anew.
    """
    session = current_session()
    if session.asking is not None:
        answer_stream(host)
    elif session.study is not None and session.study.answer is not None:
        _answer(host)
    elif host.state == "ready":
        line = [Segment("Ask a question about this radiograph, or choose one above.", "quiet")]
        rich_line([line], key="no_answer")


def _answer(host: ModelHost) -> None:
    session = current_session()
    study = session.study
    if study is None or study.answer is None or study.store is None:
        return
    answer = study.answer
    spec = chosen_method()
    known = study.store.tensor(spec.name, chosen_settings(spec))
    with st.container(key="tokens"):
        token_strip(
            answer.tokens,
            key="token_strip",
            generation=f"{study.number}-{study.revision}",
            selected=_selected(study.target),
            image_shares=image_shares(answer, known),
            computed=tuple(int(index) for index in np.flatnonzero(known.filled)),
            busy=session.explaining is not None,
            note=_stop_note(answer),
            on_choose=lambda choice: _choose(host, choice),
        )
    with st.container(
        horizontal=True, gap="small", key="answer_tools", vertical_alignment="center"
    ):
        method_picker()
        _phrase_popover(host, answer)
        if session.filling is None:
            done, total = int(known.filled.sum()), len(answer.tokens)
            st.button(
                "Explain every word" if done < total else "Every word is explained",
                key="explain_all",
                type="tertiary",
                disabled=done == total,
                help="Fills the map of every word, so that each is instant and a hovered patch "
                "can say which words leaned on it.",
                on_click=_explain_all,
                args=(host,),
            )
    if session.filling is not None:
        filling_progress(host)
    if study.cell is not None:
        _cell_line(study)


def image_shares(answer: Answer, known: RelevanceTensor) -> list[float | None]:
    """For each token, the share of its positive relevance that lies on the image."""
    start, stop = answer.image_span
    positive = known.relevancy.clip(0)
    whole = positive.sum(axis=1)
    on_image = positive[:, start:stop].sum(axis=1)
    return [
        float(on_image[index] / whole[index]) if filled and whole[index] > 0 else None
        for index, filled in enumerate(known.filled)
    ]


def select(host: ModelHost, target: Target) -> None:
    """Explain this target and redraw what depends on it."""
    session = current_session()
    session.notice = None
    spec = chosen_method()
    choose(session, host, target, spec.name, chosen_settings(spec))
    if session.notice is None:
        redraw(*PARTS)
    st.rerun()


def _choose(host: ModelHost, choice: TokenChoice) -> None:
    study = current_session().study
    if study is not None and study.answer is not None:
        span = None if choice.whole else (choice.start, choice.stop)
        select(host, chosen_target(study.answer, span))


def _selected(target: Target | None) -> tuple[int, int] | None:
    if target is None or target.kind == "answer":
        return None
    return target.token_indices[0], target.token_indices[-1] + 1


def _stop_note(answer: Answer) -> str:
    return "The answer was cut at the length limit." if answer.stopped == "length" else ""


def _explain_all(host: ModelHost) -> None:
    spec = chosen_method()
    explain_every_word(current_session(), host, spec.name, chosen_settings(spec))


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
    study = current_session().study
    if study is not None and study.answer is not None:
        target = chosen_target(study.answer, (start, stop))
        select(host, Target("phrase", target.token_indices, target.text.strip()))


def _context(answer: Answer, start: int, stop: int) -> tuple[str, str, str]:
    texts = [token.text for token in answer.tokens]
    before, after = "".join(texts[max(0, start - 4) : start]), "".join(texts[stop : stop + 4])
    return before.lstrip(), "".join(texts[start:stop]), after.rstrip()


def _cell_line(study: Study) -> None:
    """Which words leaned on the clicked cell, from the rows that are known."""
    if study.answer is None or study.store is None or study.cell is None:
        return
    spec = chosen_method()
    row, col = study.cell
    sums = study.store.words_on_cells([study.cell], spec.name, chosen_settings(spec), share=True)
    order = [
        int(i) for i in np.argsort(-np.nan_to_num(sums)) if np.isfinite(sums[i]) and sums[i] > 0
    ]
    line = [Segment(f"Row {row}, column {col}: ", "quiet")]
    if not order:
        line.append(Segment("no explained word leaned on this patch.", "quiet"))
    for place, index in enumerate(order[:4]):
        line.append(Segment(", " if place else "leaned on by ", "quiet"))
        line.append(Segment(quoted(study.answer.tokens[index].text), "word"))
        line.append(Segment(f" {100 * float(sums[index]):.0f}%", "quiet"))
    if order:
        line.append(Segment(" of each word's relevance on the image.", "quiet"))
    unknown = int(np.isnan(sums).sum())
    if unknown:
        line.append(Segment(f" {unknown} words are not explained yet.", "quiet"))
    rich_line([line], key="cell_line", tone="quiet", announce="status")
