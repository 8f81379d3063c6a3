"""A Plotly figure in the page's own typeface, with nothing that calls out, and clicks on it."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from medgemma_dash.figures import PLOTLY_CONFIG, chosen_cells
from medgemma_dash.ui.components.figure_files import caption

FONT = '"Source Sans", "Source Sans Pro", sans-serif'


def chart(
    figure: Any,
    *,
    key: str,
    alt: str,
    tools: bool = False,
    about: Sequence[tuple[str, str]] = (),
    **options: Any,
) -> None:
    """Draw a figure; `alt` says in words what it shows. tools: zoom buttons on hover.

    about: what it is of, for its file; see `caption`.
    The part of the page that holds it carries `key` as a class, for tests and user styles.
    """
    # Set one by one: `update_layout` takes four times as long.
    figure.layout.font.family = figure.layout.hoverlabel.font.family = FONT
    # Streamlit makes a changed chart anew and then hands Plotly the same figure once more, as new
    # objects; without a revision to go by, Plotly takes those for new data and draws all again.
    figure.layout.datarevision = 1
    figure.layout.meta = caption(alt, key, about)
    config = dict(PLOTLY_CONFIG) | ({} if tools else {"displayModeBar": False})
    # Streamlit gives that class itself to a chart that can be selected in, and to no other.
    if "on_select" in options:
        st.plotly_chart(figure, theme=None, config=config, key=key, alt=alt, **options)
        return
    with st.container(key=key):
        st.plotly_chart(figure, theme=None, config=config, key=f"{key}_chart", alt=alt, **options)


def clicked_cells(
    key: str, before: tuple[tuple[int, int], ...] = ()
) -> tuple[tuple[int, int], ...] | None:
    """The cells that were clicked in the chart with this key, inside its callback.

    before: what was chosen; clicking just that again lets it go, which gives ().
    None is no news. A chart that changed is a new widget to Streamlit, and until the browser has
    drawn it, every run reports the click on the old one again: the callback then finds the new
    chart's selection under the key, and that is empty.
    """
    cells = chosen_cells(st.session_state[key]["selection"]["points"])
    if not cells:
        return None
    return () if cells == before else cells
