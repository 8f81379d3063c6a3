"""The Faithfulness page, with tests that are real but for the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.explaining import targets
from medgemma_dash.services.faithfulness import rankings, run, tasks
from medgemma_dash.services.faithfulness.sanity import Sanity
from tests.app.faithfulness.removing import DECISION, Removing, made_by
from tests.app.opened import session_of, wait_for

REAL_STEPS = run.faithfulness_record_steps


@pytest.fixture
def removing(fake: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Removing]:
    found = Removing(fake.gate())
    monkeypatch.setattr(run, "faithfulness_record_steps", REAL_STEPS)
    monkeypatch.setattr(run, "TargetScore", found.score)
    monkeypatch.setattr(run, "record_provenance", made_by)
    monkeypatch.setattr(run, "sanity_pieces", lambda *_: 1)
    monkeypatch.setattr(Sanity, "pieces", lambda *given: found.pieces(*given))
    monkeypatch.setattr(rankings, "explain_target", found.explain_target)
    monkeypatch.setattr(targets, "choose_target", lambda *_, **__: DECISION)
    monkeypatch.setattr(tasks, "masked_answer", found.masked_answer)
    yield found
    found.gate.set()


@pytest.fixture
def open_page(open_home: Callable[[], AppTest], removing: Removing) -> Callable[[], AppTest]:
    """The page with the opening sample answered, and its test under way or done."""

    def open_it() -> AppTest:
        app = open_home().switch_page("pages/7_Faithfulness.py").run()
        while not removing.scored and tasks.RECORD not in session_of(app).jobs:
            wait_for(session_of(app).jobs.unfinished())
            app.run()
        assert not app.exception
        return app

    return open_it
