"""Tooltips on the chips of a choice, which Streamlit gives none of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import streamlit as st

_mount = st.components.v2.component(
    "medgemma_dash_chip_hints",
    js=(Path(__file__).parent / "chip_hints.js").read_text(encoding="utf-8"),
)


def chip_hints(choice: str, hints: Mapping[str, str]) -> None:
    """Give every chip of the pills with the key `choice` the hint of its label, as plain text."""
    with st.container(key=f"{choice}_hints"):
        _mount(key=f"{choice}_hint_texts", data={"choice": choice, "hints": dict(hints)})
