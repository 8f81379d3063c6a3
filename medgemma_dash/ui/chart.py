"""A Plotly figure in the page's own typeface, with nothing that calls out."""

from typing import Any

import streamlit as st

from medgemma_dash.figures import PLOTLY_CONFIG

FONT = '"Source Sans", "Source Sans Pro", sans-serif'


def chart(figure: Any, *, key: str, alt: str, tools: bool = False, **options: Any) -> None:
    """Draw a figure; `alt` says in words what it shows. tools: zoom buttons on hover."""
    figure.update_layout(font_family=FONT, hoverlabel_font_family=FONT)
    config = dict(PLOTLY_CONFIG) | ({} if tools else {"displayModeBar": False})
    st.plotly_chart(figure, theme=None, config=config, key=key, alt=alt, **options)
