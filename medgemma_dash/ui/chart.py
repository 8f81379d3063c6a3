"""A Plotly figure in the page's own typeface, with nothing that calls out."""

from typing import Any

import streamlit as st

from medgemma_dash.figures import PLOTLY_CONFIG

FONT = '"Source Sans", "Source Sans Pro", sans-serif'


def chart(figure: Any, *, key: str, alt: str, tools: bool = False, **options: Any) -> None:
    """Draw a figure; `alt` says in words what it shows. tools: zoom buttons on hover.

    The part of the page that holds it carries `key` as a class, for tests and user styles.
    """
    # Set one by one: `update_layout` takes four times as long.
    figure.layout.font.family = figure.layout.hoverlabel.font.family = FONT
    config = dict(PLOTLY_CONFIG) | ({} if tools else {"displayModeBar": False})
    # Streamlit gives that class itself to a chart that can be selected in, and to no other.
    if "on_select" in options:
        st.plotly_chart(figure, theme=None, config=config, key=key, alt=alt, **options)
        return
    with st.container(key=key):
        st.plotly_chart(figure, theme=None, config=config, key=f"{key}_chart", alt=alt, **options)
