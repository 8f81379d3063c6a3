"""The keys of the pages, behind a quiet button and the key "?"; drawn and opened in the browser."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_WITH_WORDS = ("Explain", "Compare", "Layers", "Step by Step", "Target Words", "Faithfulness")
_WITH_MAPS = (*_WITH_WORDS, "Prompt Sensitivity")
# What a reader can press, what it does, and on which pages; () for all of them. Written here once.
KEYS: tuple[tuple[str, tuple[tuple[str, str, tuple[str, ...]], ...]], ...] = (
    (
        "In the answer",
        (
            ("← → ↑ ↓", "go to another word and choose it", _WITH_WORDS),
            ("Ctrl + arrow", "go there without choosing", _WITH_WORDS),
            ("Shift + arrow", "choose from the last chosen word to there", _WITH_WORDS),
            ("Enter or Space", "choose the word at once; with Shift, up to there", _WITH_WORDS),
            ("Alt + Enter", "choose the tokens of the word in turn", _WITH_WORDS),
            ("Home, End", "go to the first or the last word", _WITH_WORDS),
            ("Escape", "leave the words", _WITH_WORDS),
        ),
    ),
    (
        "In the rows",
        (
            ("↑ ↓", "go through the rows", ("Question Sets",)),
            ("Space", "open the row's image in Explain", ("Question Sets",)),
        ),
    ),
    (
        "With the mouse",
        (
            ("Click", "choose a word, or a patch of the map", ("Explain",)),
            ("Click", "choose a word", ("Compare", "Step by Step", "Target Words")),
            ("Click", "choose a word, or a step of a curve", ("Faithfulness",)),
            ("Click", "choose a map of the matrix", ("Prompt Sensitivity",)),
            (
                "Click",
                "choose a word, a head, or a patch in Patch to words",
                ("Layers",),
            ),
            (
                "Click",
                "choose a map, to hold it against the one in the white frame",
                ("Prompt Sensitivity",),
            ),
            ("Click", "show the rows behind a bar or a number", ("Question Sets",)),
            ("Click", "open a row's image in Explain", ("Question Sets",)),
            ("Shift + click", "choose a phrase", _WITH_WORDS),
            ("Alt + click", "choose one token", _WITH_WORDS),
            ("Drag, double-click", "zoom into a map, and out again", _WITH_MAPS),
        ),
    ),
    (
        "Everywhere",
        (
            ("Tab", "go to the next control", ()),
            ("Escape", "close what is open", ()),
            ("?", "open and close this list", ()),
        ),
    ),
)

_FOLDER = Path(__file__).parent
_mount = st.components.v2.component(
    "medgemma_dash_key_help",
    css=(_FOLDER / "key_help.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "key_help.js").read_text(encoding="utf-8"),
)


def keys_on(page: str) -> list[tuple[str, list[list[str]]]]:
    """What can be pressed on the page of this title, by group; groups without any are left out."""
    groups = [
        (title, [[key, does] for key, does, pages in keys if not pages or page in pages])
        for title, keys in KEYS
    ]
    return [(title, keys) for title, keys in groups if keys]


def key_help(page: str) -> None:
    """Draw the button; call once, from the entry script. page: the title of the one on screen."""
    groups = [{"title": title, "keys": keys} for title, keys in keys_on(page)]
    with st.container(key="key_help"):
        _mount(key="key_help_button", data={"groups": groups})
