"""Which method explains, and with which settings: drawn from the methods' own descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import streamlit as st

from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.session import Settings, Study, widget_value

if TYPE_CHECKING:
    from medgemma_dash.methods import MethodSpec, Option

DEFAULT_METHOD = "chefer"


def specs() -> tuple[MethodSpec, ...]:
    """Every method's description; call only once the model is ready, see `actions`."""
    from medgemma_dash.methods import available

    return available()


def specs_by_family() -> list[MethodSpec]:
    """The descriptions with methods of one family side by side, controls last."""
    from medgemma_dash.methods.specification import Family

    families: tuple[str, ...] = get_args(Family)
    return sorted(specs(), key=lambda spec: families.index(spec.family))


def chosen_method() -> MethodSpec:
    """The chosen method; the default one before anything was chosen."""
    by_name = {spec.name: spec for spec in specs()}
    return by_name.get(widget_value(keys.METHOD, DEFAULT_METHOD)) or by_name[DEFAULT_METHOD]


def chosen_settings(spec: MethodSpec) -> Settings:
    """Values of the method's options; only those that differ from the default are given."""
    chosen = []
    for option in spec.options:
        value = widget_value(_key(spec, option), option.default)
        if value != option.default:
            chosen.append((option.name, value))
    return tuple(chosen)


def shown_method(study: Study) -> tuple[MethodSpec, Settings]:
    """What made the map on screen; without one, what is chosen.

    Everything that is said about the map has to come from here: while another method is
    computing, and after it failed, the choice and the map are not of one kind.
    """
    if study.shown is None:
        spec = chosen_method()
        return spec, chosen_settings(spec)
    name, settings = study.shown
    return _spec(name), settings


def set_picker(method: str, settings: Settings) -> None:
    """Choose for the reader; only before the picker is drawn."""
    spec, given = _spec(method), dict(settings)
    st.session_state[keys.METHOD] = method
    for option in spec.options:
        st.session_state[_key(spec, option)] = given.get(option.name, option.default)


def method_words(method: str, settings: Settings) -> str:
    """A method as it is named beside a map, with what differs from its defaults."""
    spec = _spec(method)
    labels = {option.name: option.label for option in spec.options}
    given = [f"{labels[name].lower()}: {value}" for name, value in settings]
    return f"{spec.title} ({', '.join(given)})" if given else spec.title


def method_picker() -> None:
    """A quiet button that opens the choice of method, its settings and its card."""
    spec = chosen_method()
    popover = st.popover(spec.title, key="method_popover", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    titles = {one.name: one.title for one in specs()}
    # The name may come from a URL.
    keys.give_widget(keys.METHOD, spec.name)
    with popover:
        st.selectbox(
            "Method",
            list(titles),
            format_func=titles.__getitem__,
            key=keys.METHOD,
            on_change=_changed,
            persist_state="session",
        )
        _options(spec)
        st.caption(spec.card)
        st.latex(spec.formula)
        st.caption(f"{spec.source} · cost of a word: {spec.cost}")


def method_options(names: list[str]) -> None:
    """A quiet button that opens the settings of all these methods."""
    popover = st.popover("Options", key="options_popover", on_change="rerun", type="tertiary")
    if not popover.open:
        return
    with popover:
        for spec in specs():
            if spec.name in names and spec.options:
                st.markdown(f"**{spec.title}**")
                _options(spec)


def _spec(method: str) -> MethodSpec:
    return next(spec for spec in specs() if spec.name == method)


def _options(spec: MethodSpec) -> None:
    for option in spec.options:
        st.selectbox(
            option.label,
            option.choices,
            key=_key(spec, option),
            help=option.help,
            accept_new_options=option.numbers is not None,
            on_change=_changed,
            persist_state="session",
        )


def _changed() -> None:
    """Everything on the page depends on the method."""
    st.rerun()


def _key(spec: MethodSpec, option: Option) -> str:
    return f"method_{spec.name}_{option.name}"
