"""What a page's session has open and what the page draws, as a test looks into them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from streamlit.testing.v1 import AppTest

from medgemma_dash.services.runtime.job import Job
from medgemma_dash.ui.state.session import ASK, QUESTION, SESSION, Session
from medgemma_dash.ui.state.study import Answered, Study

# In the order in which they stand; without Question Sets, which is about no film of its own.
PAGES = [
    "pages/1_Explain.py",
    "pages/2_Compare.py",
    "pages/3_Layers.py",
    "pages/4_Step_by_Step.py",
    "pages/5_Target_Words.py",
    "pages/6_Prompt_Sensitivity.py",
    "pages/7_Faithfulness.py",
    "pages/9_Methods.py",
]
PATIENCE_SECONDS = 30  # only ever reached when a test fails


def session_of(app: AppTest) -> Session:
    session: Session = app.session_state[SESSION]
    return session


def study_of(app: AppTest) -> Study:
    study = session_of(app).study
    assert study is not None
    return study


def answered_of(app: AppTest) -> Answered:
    answered = study_of(app).answered
    assert answered is not None
    return answered


def ask(app: AppTest, settle: Callable[[AppTest], AppTest], question: str) -> AppTest:
    """Ask on the Explain page, and wait for what comes of it."""
    app.text_input(key=QUESTION).set_value(question)
    app.button(key=ASK).click().run()
    return settle(app)


def wait_for(jobs: tuple[Job[Any], ...]) -> None:
    for job in jobs:
        assert job.wait(PATIENCE_SECONDS)


def charts(app: AppTest) -> list[str]:
    """The keys of the charts that a page draws, or of what contains them, in order."""
    drawn = [one for one in app.get("bidi_component") if _is_chart(one)]
    return [str(one.key).removesuffix("_chart") for one in drawn]


def figure(app: AppTest, key: str) -> dict[str, Any]:
    """The Plotly figure of a chart, or of the chart in a container of this key."""
    drawn = [one for one in app.get("bidi_component") if _is_chart(one)]
    chart = next(one for one in drawn if one.key in (key, f"{key}_chart"))
    spec: dict[str, Any] = json.loads(json.loads(chart.proto.json)["figure"])
    return spec


def _is_chart(element: Any) -> bool:
    return bool(element.proto.component_name == "medgemma_dash_chart")
