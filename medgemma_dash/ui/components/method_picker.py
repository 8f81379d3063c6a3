"""The choice of a method and of its options, drawn from the methods' own descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from medgemma_dash.ui.state.methods import chosen_method, option_key, specs
from medgemma_dash.ui.state.session import METHOD, current_session, give_widget

if TYPE_CHECKING:
    from medgemma_dash.methods import MethodSpec


_POPOVER, _OPTIONS_POPOVER = "method_popover", "options_popover"


def method_picker() -> None:
    """A quiet button that opens the choice of method, its options and its card."""
    spec = chosen_method()
    popover = st.popover(spec.title, key=_POPOVER, on_change="rerun", type="tertiary")
    if not popover.open:
        return
    titles = {one.name: one.title for one in specs()}
    # The name may come from a URL.
    give_widget(METHOD, spec.name)
    with popover:
        st.selectbox(
            "Method",
            list(titles),
            format_func=titles.__getitem__,
            key=METHOD,
            on_change=_changed,
            persist_state="session",
        )
        _options(spec)
        st.caption(spec.card)
        st.latex(spec.formula)
        st.caption(f"{spec.source} · cost of a word: {spec.cost}")


def method_options(names: list[str]) -> None:
    """A quiet button that opens the options of all these methods."""
    popover = st.popover("Options", key=_OPTIONS_POPOVER, on_change="rerun", type="tertiary")
    if not popover.open:
        return
    with popover:
        for spec in specs():
            if spec.name in names and spec.options:
                st.markdown(f"**{spec.title}**")
                _options(spec)


def _options(spec: MethodSpec) -> None:
    for option in spec.options:
        st.selectbox(
            option.label,
            option.choices,
            key=option_key(spec, option),
            help=option.help,
            accept_new_options=option.numbers is not None,
            on_change=_changed,
            persist_state="session",
        )


def _changed() -> None:
    """Everything on the page depends on the method; its list stays open, to try another one.

    The button bears the method's name, and to Streamlit one of another name is another button.
    """
    current_session().notice = None
    if st.session_state.get(_POPOVER):
        st.session_state[_POPOVER] = True
    st.rerun()
