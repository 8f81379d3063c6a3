"""Whether the chosen word needed the image: a sentence, numbers on demand, or how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.core.target import Target
from medgemma_dash.figures import image_effect_figure
from medgemma_dash.services.evidence.reading import every_word, evidence_of, marked_words
from medgemma_dash.services.evidence.tasks import EVIDENCE
from medgemma_dash.ui.components.chart import chart
from medgemma_dash.ui.components.image_conditions import image_conditions
from medgemma_dash.ui.components.job_watch import watch
from medgemma_dash.ui.components.redraw import redraw
from medgemma_dash.ui.components.rich_line import Segment, chosen_action, rich_line
from medgemma_dash.ui.components.theme import is_dark
from medgemma_dash.ui.state.actions import weigh
from medgemma_dash.ui.state.collecting import collect_evidence
from medgemma_dash.ui.state.session import current_session

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.study import Answered, Study

UNWEIGHED = "unweighed"


def image_need_line(study: Study, target: Target) -> list[list[Segment]]:
    """One line for the card, once it is known; none of a margin, which is no word."""
    answered = study.answered
    if answered is None or answered.evidence is None or target.margin is not None:
        return []
    if target.kind == "answer":
        marked, count = marked_words(answered.evidence)
        needing = marked["needs the image"]
        return [[Segment(f"{needing} of its {count} words need the image.", "small")]]
    return [[Segment(evidence_of(answered.evidence, target.token_indices).text_line, "small")]]


def image_need_progress(host: ModelHost, study: Study) -> None:
    """While it is found out, how far that is; a way to try again where it was not."""
    if EVIDENCE in current_session().jobs:
        watch(EVIDENCE, draw_anew=_take_over)
    elif study.answered is not None and study.answered.unweighed:
        _again(host, study.answered.unweighed)


def _take_over() -> None:
    """Only what says it is drawn anew. The whole page would write its address: over that of the
    page to which the reader went back in that moment.
    """
    collect_evidence(current_session())
    redraw("answer", "evidence")


def image_need_popover(host: ModelHost, answered: Answered) -> None:
    """The chosen word's numbers on demand, once they are known; of the whole answer every word's
    image effect.
    """
    target, record = answered.target, answered.evidence
    if record is None or target is None or target.margin is not None:
        return
    popover = st.popover(
        "Did it need the image?", key="image_need", on_change="rerun", type="tertiary"
    )
    if not popover.open:
        return
    with popover, st.container(key="image_need_menu"):
        if target.kind == "answer":
            _every_effect(record)
        else:
            st.caption("Probability of the word, on the answer as it stands")
            word = evidence_of(record, target.token_indices)
            image_conditions(word, "image_need", f"of {len(host.model.layout.layers)} layers")
        # Here, for the page does not wait for what reports are made of.
        from medgemma_dash.ui.components.record_frame import record_files

        record_files(record)


def _every_effect(record: Record) -> None:
    """A bar for each of the answer's words."""
    words = every_word(record)
    st.caption(
        "Image effect: what a blank image takes from each word's log-probability, in nats. A word "
        "that loses nothing by it may lose something with other radiographs in its place, or none."
    )
    chart(
        image_effect_figure(
            [word.text.strip() for word in words],
            [word.image_effect for word in words],
            [word.mark for word in words],
            is_dark(),
        ),
        key="image_need_words",
        alt="Bars: what a blank image takes from each word of the answer.",
    )


def _again(host: ModelHost, reason: str) -> None:
    def choose() -> None:
        if chosen_action(UNWEIGHED) == "again":
            weigh(current_session(), host, again=True)

    line = [
        Segment(f"What the words owe to the image was not weighed. {reason} ", "small"),
        Segment("weigh it", "action", "again"),
    ]
    rich_line([line], key=UNWEIGHED, tone="quiet", announce="status", on_choose=choose)
