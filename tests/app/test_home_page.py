"""The first page, in each state of the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import SESSION

OpenPage = Callable[[], AppTest]


@pytest.mark.parametrize("state", ["loading", "ready", "failed"])
def test_it_is_there_whatever_the_model_does(open_home: OpenPage, host: Any, state: str) -> None:
    host.state = state
    host.message = "No such model. Check MEDGEMMA_DASH_MODEL."
    app = open_home()
    assert not app.exception
    labels = [button.label for button in app.button]
    assert all(sample.title in labels for sample in samples())
    assert ("Try again" in labels) == (state == "failed")
    assert host.begun


def test_a_sample_opens_with_one_click(open_home: OpenPage) -> None:
    app = open_home()
    sample = samples()[-1]
    app.button(key=f"open_{sample.name}").click().run()
    assert not app.exception
    study = app.session_state[SESSION].study
    assert study is not None
    assert study.sample == sample.name
