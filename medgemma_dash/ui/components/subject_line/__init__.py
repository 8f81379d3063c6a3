"""The first line of every page: film, question, word, method and model, as they are looked at."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Literal

import streamlit as st

_SOURCES = files(__name__)
_mount = st.components.v2.component(
    "medgemma_dash_subject_line",
    html='<div class="subject-line" role="group" aria-label="What this page is about"></div>',
    css=_SOURCES.joinpath("subject_line.css").read_text("utf-8"),
    js=_SOURCES.joinpath("subject_line.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Part:
    """One thing that the page is about. text: a user's or a model's own is never markup."""

    name: Literal["film", "question", "word", "method", "model"]
    text: str


def subject_line(parts: Sequence[Part], picture: str, alt: str) -> None:
    """Draw the line. picture: of the film, as a data URI, "" without one."""
    data = {"parts": [asdict(part) for part in parts], "picture": picture, "alt": alt}
    _mount(key="subject_line", data=data)
