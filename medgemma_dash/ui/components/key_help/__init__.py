"""The keys of the pages, behind a quiet button and the key "?"; drawn and opened in the browser."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

# What a reader can press, where, and what it does; written here once, for every page.
KEYS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "In the answer",
        (
            ("← → ↑ ↓", "go to another word and choose it"),
            ("Ctrl + arrow", "go there without choosing"),
            ("Shift + arrow", "choose from the last chosen word to there"),
            ("Enter or Space", "choose the word at once; with Shift, up to there"),
            ("Alt + Enter", "choose the tokens of the word in turn"),
            ("Home, End", "go to the first or the last word"),
        ),
    ),
    (
        "With the mouse",
        (
            ("Click", "choose a word; on Explain and Layers, a patch of the map"),
            ("Shift + click", "choose a phrase"),
            ("Alt + click", "choose one token"),
            ("Drag, double-click", "zoom into a map, and out again"),
        ),
    ),
    (
        "Everywhere",
        (
            ("Tab", "go to the next control"),
            ("Escape", "close a menu, or this list"),
            ("?", "open and close this list"),
        ),
    ),
)

_FOLDER = Path(__file__).parent
_mount = st.components.v2.component(
    "medgemma_dash_key_help",
    css=(_FOLDER / "key_help.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "key_help.js").read_text(encoding="utf-8"),
)


def key_help() -> None:
    """Draw the button; call once, from the entry script."""
    groups = [{"title": title, "keys": [list(key) for key in keys]} for title, keys in KEYS]
    with st.container(key="key_help"):
        _mount(key="key_help_button", data={"groups": groups})
