"""Headings for those who do not see the page: what it is, and where its parts begin.

The pages show their parts by their place; a screen reader finds them by headings alone.
"""

import streamlit as st


def page_heading(title: str) -> None:
    """The page's own name, unseen; once a page, above everything else."""
    with st.container(key="page_heading"):
        st.title(title, anchor=False)


def part_heading(title: str, key: str) -> None:
    """The name of a part of the page, unseen, where the part begins. key: unique on the page."""
    with st.container(key=f"part_heading_{key}"):
        st.header(title, anchor=False)
