"""The first page, in each state of the model."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.settings import Settings
from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.ui.shell import entry
from medgemma_dash.ui.state.samples import samples
from medgemma_dash.ui.state.session import SESSION
from tests.app.browser_events import lines_of

OpenPage = Callable[[], AppTest]


@pytest.mark.parametrize("state", ["loading", "ready", "failed"])
def test_it_is_there_whatever_the_model_does(
    open_home: OpenPage, host: Any, fake: Any, lose_model: Callable[[str], None], state: str
) -> None:
    if state == "failed":
        lose_model("No such model. Check MEDGEMMA_DASH_MODEL.")
    elif state == "loading":
        fake.hold_loading.clear()
        host.reload()
    app = open_home()
    assert host.state == state
    assert not app.exception
    labels = [button.label for button in app.button]
    assert all(sample.title in labels for sample in samples())
    assert ("Try again" in labels) == (state == "failed")


def test_the_model_is_loaded_once_the_first_page_is_there(
    open_home: OpenPage, fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = ModelHost(Settings(), load=fake.load, start=False)
    monkeypatch.setattr("medgemma_dash.ui.state.host.model_host", lambda: fresh)
    try:
        open_home()
        assert fresh.engine.submit(lambda context: None, owner="test", label="loaded").wait(30)
        assert fresh.state == "ready"
    finally:
        fresh.close()


def test_an_address_that_is_no_page_is_said_to_be_none(
    open_home: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(url: str) -> list[str]:
        context = SimpleNamespace(context_info=SimpleNamespace(url=url))
        with monkeypatch.context() as patch:
            patch.setattr(entry, "get_script_run_ctx", lambda: context)
            return lines_of(open_home(), "notice_line")

    assert at("http://127.0.0.1:8501/Nope") == ["There is no page “Nope”; the first one is shown."]
    for page in ("", "home", "Explain", "Layers/"):
        assert at(f"http://127.0.0.1:8501/{page}") == []


def test_a_sample_opens_with_one_click(open_home: OpenPage) -> None:
    app = open_home()
    sample = samples()[-1]
    app.button(key=f"open_{sample.name}").click().run()
    assert not app.exception
    study = app.session_state[SESSION].study
    assert study is not None
    assert study.sample == sample.name
