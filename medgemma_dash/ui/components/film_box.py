"""The room of a film: as wide as there is, as high as the window allows, in its own proportions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from medgemma_dash.figures.relevance import ABOVE_PX, BELOW_PX


@contextmanager
def film_box(key: str, width: int, height: int, *, tallest: str) -> Iterator[None]:
    """A container for the one chart of `relevance_figure`, which then fills it without a gap.

    width, height: of the radiograph. tallest: the picture's greatest height, in CSS.
    The chart is drawn with `height="stretch"`.
    """
    ratio = width / height
    st.html(
        f"<style>.st-key-{key} {{ --film-ratio: {ratio:.5f}; --film-tallest: {tallest};"
        f" --film-above: {ABOVE_PX}px; --film-below: {BELOW_PX}px; }}</style>"
    )
    with st.container(key=f"film_{key}"), st.container(key=key):
        yield
