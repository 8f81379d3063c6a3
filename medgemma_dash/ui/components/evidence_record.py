"""An evidence record without a model: the answer's words, and what each owes to the image."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import TYPE_CHECKING, ClassVar

import pandas as pd
import streamlit as st

from medgemma_dash.core.token_words import readable
from medgemma_dash.reports.records.evidence import evidence_lines
from medgemma_dash.services.evidence.plan import LANGUAGE_PRIOR, NEEDS_IMAGE
from medgemma_dash.services.evidence.reading import (
    WordEvidence,
    every_word,
    evidence_of,
    units_of,
)
from medgemma_dash.ui.components.headings import part_heading
from medgemma_dash.ui.components.image_conditions import image_conditions
from medgemma_dash.ui.components.numbers_table import numbers_table
from medgemma_dash.ui.components.rich_line import Segment, rich_line
from medgemma_dash.ui.components.token_strip import TokenChoice, token_strip
from medgemma_dash.ui.components.window_width import window_width
from medgemma_dash.ui.state.session import LivesWith, page_state

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.core.words import Range

LONGEST_SHOWN = 2000  # characters of a question
NATS = "Log-probability in nats, of the word's tokens together, on the answer as it stands"
COLUMNS = {
    "_index": st.column_config.Column(width="medium"),
    "with the image": st.column_config.NumberColumn(help=f"{NATS}.", format="%.3g"),
    "blank": st.column_config.NumberColumn(
        help=f"{NATS}, with every soft token replaced by their mean.", format="%.3g"
    ),
    "swapped": st.column_config.NumberColumn(
        help=f"{NATS}, with other radiographs in its place, on average.", format="%.3g"
    ),
    "no image": st.column_config.NumberColumn(
        help=f"{NATS}, in the same conversation without an image.", format="%.3g"
    ),
    "image effect": st.column_config.NumberColumn(
        help="What a blank image takes from it, in nats.", format="%.3g"
    ),
    "layers that see it": st.column_config.NumberColumn(
        help="Decoder layers whose mask lets the position that says it see the image; of the token "
        "that fewest do."
    ),
    "mark": st.column_config.TextColumn(
        help=f"Language prior: none of the three takes {LANGUAGE_PRIOR:g} nat. Needs the image: "
        f"one of them takes {NEEDS_IMAGE:g} or more. Else in part."
    ),
}


@dataclass(frozen=True)
class RecordedToken:
    """A token as the strip draws it."""

    text: str
    probability: float
    special: bool


@dataclass(eq=False)
class EvidenceChoice:
    """The words chosen in a record; generation: of which one."""

    lives_with: ClassVar[LivesWith] = "session"
    generation: str = ""
    span: Range | None = None


def show_evidence(record: Record, generation: str) -> None:
    """Draw it; generation: another one for each record that is shown."""
    part_heading("The answer, and what it owes to the image", "evidence_record")
    asked = str(record.plan["asked"]["prompt"])
    shown = asked[:LONGEST_SHOWN] + "…" * (len(asked) > LONGEST_SHOWN)
    rich_line([[Segment(f"Question: {shown}", "quiet")]], key="evidence_question")
    _words(record, generation)
    rich_line([[Segment(line, "small")] for line in evidence_lines(record)[1:]], key="evidence_how")
    st.caption(f"{NATS}; image effect: what a blank image takes from it")
    numbers_table(_frame(every_word(record)), key="evidence_table", columns=COLUMNS)


@st.fragment(key="evidence_record")
def _words(record: Record, generation: str) -> None:
    """The answer's words, and the numbers of the chosen one."""
    choice, units = page_state(EvidenceChoice), units_of(record)
    found = every_word(record, control_tokens=True)
    if choice.generation != generation:
        strongest = max(range(len(units)), key=lambda at: found[at].image_effect, default=None)
        choice.span = None if strongest is None else units[strongest]
        choice.generation = generation
    words = record.tables["words"]
    special = [bool(one) for one in words["special"]]
    rich_line([[Segment(evidence_lines(record)[0])]], key="evidence_line")
    wide = window_width() == "wide"
    left, right = st.columns([58, 42], gap="medium") if wide else (st.container(), st.container())
    with left:
        token_strip(
            [
                RecordedToken(str(text), exp(min(nats, 0.0)), control)
                for text, nats, control in zip(
                    words["text"], words["log_probability"].astype(float), special, strict=True
                )
            ],
            [unit for unit in units if not special[unit[0]]],
            key="evidence_strip",
            generation=generation,
            selected=choice.span,
            measure="image effect",
            effects=[float(effect) for effect in words["image_effect"]],
            word_effects=[word.image_effect for word in found],
            word_marks=[word.mark for word in found],
            computed=range(len(words)),
            on_choose=_choose,
        )
    if choice.span is not None:
        with right:
            _numbers(record, evidence_of(record, range(*choice.span)))


def _choose(choice: TokenChoice) -> None:
    page_state(EvidenceChoice).span = choice.start, choice.stop


def _numbers(record: Record, word: WordEvidence) -> None:
    """A word's probability under each condition, and what that says."""
    rich_line(
        [[Segment(readable(word.text), "word")], [Segment(word.text_line)]],
        key="evidence_word_line",
        announce="status",
    )
    image_conditions(word, "evidence_word", "layers", record)


def _frame(words: tuple[WordEvidence, ...]) -> pd.DataFrame:
    """A line for each word."""
    return pd.DataFrame(
        {
            "with the image": [word.given for word in words],
            "blank": [word.blank for word in words],
            "swapped": [word.swapped for word in words],
            "no image": [word.no_image for word in words],
            "image effect": [word.image_effect for word in words],
            "layers that see it": [word.layers_with_access for word in words],
            "mark": [word.mark for word in words],
        },
        index=pd.Index([readable(word.text) for word in words], name="word"),
    )
