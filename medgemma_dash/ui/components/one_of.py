"""A choice of which one is always made."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def one_of(
    label: str,
    choices: Iterable[T],
    key: str,
    words: Callable[[T], str] = str,
    *,
    hint: str | None = None,
) -> T:
    """One of a few, the first until the reader chooses; the session keeps it.

    label: for those who do not see it. words: of a choice.
    """
    offered = list(choices)
    return st.segmented_control(
        label,
        offered,
        default=offered[0],
        required=True,
        format_func=words,
        key=key,
        help=hint,
        label_visibility="collapsed",
        persist_state="session",
    )
