"""The one model host of this process, shared by every session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from medgemma_dash.services.model_host import ModelHost


@st.cache_resource(show_spinner=False)
def model_host() -> ModelHost:
    """The host; its first call starts loading the model in the background.

    Raises SettingError when an environment setting has a value that is not allowed.
    """
    from medgemma_dash.core.settings import read_settings
    from medgemma_dash.services.model_host import ModelHost

    return ModelHost(read_settings())
