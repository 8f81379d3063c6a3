"""Which method explains, and with which options: what the picker's widgets hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import streamlit as st

from medgemma_dash.ui.state.session import METHOD, widget_value

if TYPE_CHECKING:
    from medgemma_dash.methods import MethodSpec, Option
    from medgemma_dash.ui.state.study import Options, Study

DEFAULT_METHOD = "chefer"
COMPARED = "compared_methods"  # widget
FIRST_COMPARED = (
    "chefer",
    "chefer_normalized",
    "attnlrp",
    "rollout",
    "text_to_image_attention",
    "gradcam",
)


def specs() -> tuple[MethodSpec, ...]:
    """Every method's description; only once the model is ready, since it imports torch."""
    from medgemma_dash.methods import available

    return available()


def specs_by_family() -> list[MethodSpec]:
    """The descriptions with methods of one family side by side, controls last."""
    from medgemma_dash.methods.specification import Family

    families: tuple[str, ...] = get_args(Family)
    return sorted(specs(), key=lambda spec: families.index(spec.family))


def is_control(method: str) -> bool:
    """Whether a method looks at nothing: where its map is highest means nothing either."""
    return any(spec.name == method and spec.family == "control" for spec in specs())


def chosen_method() -> MethodSpec:
    """The chosen method; the default one before anything was chosen."""
    by_name = {spec.name: spec for spec in specs()}
    return by_name.get(widget_value(METHOD, DEFAULT_METHOD)) or by_name[DEFAULT_METHOD]


def chosen_options(spec: MethodSpec) -> Options:
    """Values of the method's options; only those that differ from the default are given."""
    chosen = []
    for option in spec.options:
        value = widget_value(option_key(spec, option), option.default)
        if value != option.default:
            chosen.append((option.name, value))
    return tuple(chosen)


def shown_method(study: Study) -> tuple[MethodSpec, Options]:
    """What made the map on screen; without one, what is chosen.

    Everything that is said about the map has to come from here: while another method is
    computing, and after it failed, the choice and the map are not of one kind.
    """
    if study.answered is None or study.answered.shown is None:
        spec = chosen_method()
        return spec, chosen_options(spec)
    name, options = study.answered.shown.made_by
    return _spec(name), options


def set_picker(method: str, options: Options) -> None:
    """Choose for the reader; only before the picker is drawn."""
    spec, given = _spec(method), dict(options)
    st.session_state[METHOD] = method
    for option in spec.options:
        st.session_state[option_key(spec, option)] = given.get(option.name, option.default)


def method_words(method: str, options: Options) -> str:
    """A method as it is named beside a map, with what differs from its defaults."""
    spec = _spec(method)
    labels = {option.name: option.label for option in spec.options}
    given = [f"{labels[name].lower()}: {value}" for name, value in options]
    return f"{spec.title} ({', '.join(given)})" if given else spec.title


def option_key(spec: MethodSpec, option: Option) -> str:
    """The key of the widget of one of the method's options."""
    return f"method_{spec.name}_{option.name}"


def _spec(method: str) -> MethodSpec:
    return next(spec for spec in specs() if spec.name == method)
