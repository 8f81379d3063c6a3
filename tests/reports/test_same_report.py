"""Page, command line and notebook make the same report of the same explanation."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from medgemma_dash import ask, cli, explain, load_radiograph, notebook
from medgemma_dash.cli import chosen_model
from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.resources import resource
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.ui.state.session import SESSION, Session
from medgemma_dash.ui.state.study import Answered, Shown, Study

OnPage = Callable[[VisionLanguageModel, Answer, Explanation], str]


@pytest.fixture
def on_page(monkeypatch: pytest.MonkeyPatch) -> OnPage:
    """What the button "Report HTML" gives below this explanation, with nothing else chosen."""

    def draw(model: VisionLanguageModel, answer: Answer, explanation: Explanation) -> str:
        given: dict[str, Any] = {}
        monkeypatch.setattr(
            st, "download_button", lambda label, data, **_: given.update({label: data})
        )

        def page() -> None:
            from types import SimpleNamespace

            import streamlit as st

            from medgemma_dash.ui.pages.explain.downloads import downloads

            downloads(SimpleNamespace(model=st.session_state["model"]))

        app = AppTest.from_function(page)
        app.session_state[SESSION] = Session(study=studied(answer, explanation))
        app.session_state["model"] = model
        assert not app.run(timeout=60).exception
        return str(given["Report HTML"]())

    return draw


def studied(answer: Answer, explanation: Explanation) -> Study:
    shown = Shown(explanation, (explanation.method, ()), None)
    answered = Answered(answer, RelevanceStore(answer), explanation.target, shown=shown)
    return Study(answer.radiograph, "t", answered=answered)


def timeless(page: str) -> str:
    """The report without the seconds that its explanation took, the only thing that may differ."""
    timed, count = re.subn(r"float32, \d+\.\d\d s", "float32", page)
    assert count == 1
    return timed


@pytest.mark.parametrize("target", [{"token": 0}, {"phrase": "pneumothorax"}])
def test_page_command_line_and_notebook_make_the_same_report(
    target: dict[str, Any],
    on_page: OnPage,
    demo_model: VisionLanguageModel,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sample = resource("assets", "samples", "pneumothorax-left.png")
    question = "Is there evidence of pneumothorax?"
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: demo_model)
    (name, value), out = *target.items(), tmp_path / "out"
    command = ["explain", str(sample), question, f"--{name}", str(value), "--out", str(out)]
    assert cli.main([*command, "--report"]) == 0
    by_command = (out / "report.html").read_text("utf-8")

    answer = ask(demo_model, load_radiograph(sample), question)
    explanation = explain(demo_model, answer, **target)
    saved = tmp_path / "notebook.html"
    in_notebook = notebook.report(demo_model, answer, explanation, saved)
    assert saved.read_text("utf-8") == in_notebook
    assert on_page(demo_model, answer, explanation) == in_notebook
    assert timeless(by_command) == timeless(in_notebook)
