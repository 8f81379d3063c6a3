"""What all sessions of this process share: the model host, and what was found out with it."""

from __future__ import annotations

import gc
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from medgemma_dash.services.explaining.answer_cache import AnswerCache
    from medgemma_dash.services.explaining.method_seconds import MethodSeconds
    from medgemma_dash.services.runtime.host import ModelHost
    from medgemma_dash.ui.state.uploads import UploadQuestions

# The first question must not wait for these.
FIRST_NEEDED = (
    "medgemma_dash.services.explaining.asking",
    "medgemma_dash.services.explaining.steps",
)


@st.cache_resource(show_spinner=False)
def model_host() -> ModelHost:
    """The host; Home.py has it load the model in the background once a page is drawn.

    Raises SettingError when an environment setting has a value that is not allowed.
    """
    from medgemma_dash.core.settings import read_settings
    from medgemma_dash.services.runtime.host import ModelHost, load_from_settings

    load = partial(load_from_settings, modules=FIRST_NEEDED)
    return ModelHost(read_settings(), load=load, start=False)


@st.cache_resource(show_spinner=False)
def known_answers() -> AnswerCache:
    """Answers that were given to any session."""
    from medgemma_dash.services.explaining.answer_cache import AnswerCache

    return AnswerCache()


@st.cache_resource(show_spinner=False)
def method_seconds() -> MethodSeconds:
    """What the methods cost on this machine."""
    from medgemma_dash.services.explaining.method_seconds import MethodSeconds

    return MethodSeconds()


@st.cache_resource(show_spinner=False)
def upload_questions() -> UploadQuestions:
    """What was last asked about each upload."""
    from medgemma_dash.ui.state.uploads import UploadQuestions

    return UploadQuestions()


def spare_collector(host: ModelHost) -> None:
    """Keep the garbage collector away from the model and its libraries.

    Streamlit collects garbage after every run of a script. Walking the million objects of torch
    and transformers holds up each click by a quarter of a second, and loading by much more, for
    pages poll meanwhile. These objects live as long as the program, so they need no walking:
    while the model loads, what is there is set aside at every call (which costs nothing), and
    once it is loaded the garbage among it is collected, once.
    """
    if host.state == "loading":
        gc.freeze()
    elif host.state == "ready":
        _set_aside(id(host.model))


@st.cache_resource(show_spinner=False)
def _set_aside(model: int) -> int:
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    return model
