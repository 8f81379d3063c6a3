"""A page with nothing but a token strip, for its browser tests; ?case= picks the answer.

Of the case "file" the tokens' texts are a list in the JSON file named by STRIP_TEXTS.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from medgemma_dash.core.words import with_control_tokens, word_ranges
from medgemma_dash.ui.components.token_strip import TokenChoice, token_strip


@dataclass(frozen=True)
class Piece:
    text: str
    probability: float
    special: bool = False


def pieces(*texts: str) -> list[Piece]:
    return [Piece(text, 0.98 - 0.05 * (index % 7)) for index, text in enumerate(texts)]


CASES = {
    "plain": [
        *pieces("Yes", ",", " there", " is", " consol", "idation", " in", " the", " right"),
        *pieces(" lower", " zone", "."),
        Piece("", 0.999, special=True),
    ],
    "hostile": pieces(
        "<img src=x onerror=window.hacked=1>",
        " <b>bold</b>",
        " **stars**",
        " ![p](http://example.org/p.png)",
        "\n\n",
        " التهاب",
        " رئوي",
        " \u202eright",
        " to",
        " left\u202c",
        " 🫁",
        " ",
        "",
        "&lt;",
        '" onmouseover="window.hacked=1',
    ),
    # As Gemma writes, and cuts what it writes.
    "report": [
        *pieces("**", "Findings", ":**", "\n\n", "*", "   ", "Small", " left", "-", " pneum"),
        *pieces("othor", "ax", ",", " ", "", "", "🫁", ",", " Cardi", "omeg", "aly", "."),
        Piece("", 0.99, special=True),
    ],
    "rtl": pieces("نعم", "،", " هناك", " تص", "لب", " في", " الرئة", " اليمنى", "."),
    "long": pieces(*(f" word{index}" for index in range(500))),
}

case = st.query_params.get("case", "plain")
if case == "file":
    tokens = pieces(*json.loads(Path(os.environ["STRIP_TEXTS"]).read_text("utf-8")))
else:
    tokens = CASES[case]
state = st.session_state
state.setdefault("generation", 1)
state.setdefault("log", [])
state.setdefault("selected", (9, 10) if case == "plain" else None)
state.setdefault("runs", 0)
state.setdefault("written", None)


def apply(choice: TokenChoice) -> None:
    state.selected = None if choice.whole else (choice.start, choice.stop)
    state.log.append([choice.start, choice.stop, choice.whole])


@st.fragment
def strip() -> None:
    state.runs += 1
    by_callback = "callback" in st.query_params
    shown = tokens if state.written is None else tokens[: state.written]
    words = word_ranges(shown)
    shares = [None if i % 5 == 3 else (i * 37 % 100) / 100 for i in range(len(shown))]
    choice = token_strip(
        shown,
        words,
        key="answer",
        generation=str(state.generation),
        selected=state.selected,
        measure=st.query_params.get("measure", "image share"),
        image_shares=shares,
        word_shares=[shares[start] for start, _ in with_control_tokens(words, len(shown))],
        runners_up=[f"in place of {one.text.strip()} next came an 0.11" for one in shown],
        computed=range(0, len(shown), 2),
        ready=state.written is None,
        note="Explain every word: 6 of 13 done.",
        on_choose=apply if by_callback else None,
    )
    if choice is not None:
        apply(choice)
    st.button("Run the fragment")
    st.text(f"log {json.dumps(state.log)}")
    st.text(f"selected {json.dumps(state.selected)}")
    st.text(f"fragment runs {state.runs}")


strip()
st.button("Run everything")
if st.button("New answer behind the strip's back"):
    # The strip on screen still shows the old generation until the next full run.
    state.generation += 1
if st.button("Write"):
    state.written = 1 if state.written is None else state.written + 3
    st.rerun()
if st.button("Finish writing"):
    state.written = None
    st.rerun()
