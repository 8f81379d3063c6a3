"""A whole sequence as the model gets it, token by token, with two positions marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Literal

import streamlit as st

_SOURCES = files(__name__)
_mount = st.components.v2.component(
    "medgemma_dash_sequence_strip",
    html='<div class="sequence-strip"></div>',
    css=_SOURCES.joinpath("sequence_strip.css").read_text("utf-8"),
    js=_SOURCES.joinpath("sequence_strip.js").read_text("utf-8"),
    # The positions stay reachable for browser tests and user styles; every rule is namespaced.
    isolate_styles=False,
)


@dataclass(frozen=True)
class Place:
    """One position of the sequence, or the positions of an image, folded.

    start, stop: half-open. text: as the tokenizer has it; any text, it is never markup.
    mark: what the position is called in the equations, "" for most.
    wrong: what it is called where it is mistaken for the marked one, "" for most.
    value: 0 to 1, how strong the line below it is. told: what the tooltip says besides.
    """

    start: int
    stop: int
    text: str
    part: Literal["prompt", "image", "answer"]
    mark: str = ""
    value: float = 0.0
    told: str = ""
    wrong: str = ""


def sequence_strip(places: Sequence[Place], *, key: str, label: str) -> None:
    """Draw the places in their order; of a long sequence the marked ones are in sight.

    label: what the strip is, for those who do not see it.
    """
    _mount(key=key, data={"label": label, "places": [asdict(place) for place in places]})
