"""What a page's session has open, as a test looks into it."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from medgemma_dash.ui.state.session import SESSION, Session
from medgemma_dash.ui.state.study import Answered, Study


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
