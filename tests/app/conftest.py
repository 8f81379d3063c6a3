"""The real host, engine and store, with a model that says the same every time and at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from medgemma_dash.core.errors import ModelNotFoundError
from medgemma_dash.core.settings import Settings
from medgemma_dash.services.evidence.tasks import EVIDENCE
from medgemma_dash.services.explaining.tasks import ASK, EXPLAIN, EXPLAIN_ALL
from medgemma_dash.services.runtime.host import ModelHost
from medgemma_dash.ui.state import jobs
from medgemma_dash.ui.state.host import known_answers, method_seconds
from tests.app.fake_model import Fake, make_answer, make_explanation

ROOT = Path(__file__).parents[2]
TAKEN_OVER = (ASK, EXPLAIN, EXPLAIN_ALL, EVIDENCE)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    """Takes the place of all computing behind the tasks."""
    found = Fake()
    # The real host imports these before it is ready, so that no page waits for them.
    for module, names in {
        "evidence.run": ("evidence_steps",),
        "explaining.asking": ("ask",),
        "explaining.steps": ("explain_steps", "fill_steps"),
        "interventions.run": ("intervention_steps",),
        "faithfulness.run": ("faithfulness_record_steps",),
        "layers.view": ("view_steps",),
        "words.run": ("words_steps",),
        "pipeline.run": ("pipeline_steps",),
        "prompts.run": ("prompts_steps",),
    }.items():
        imported = import_module(f"medgemma_dash.services.{module}")
        for name in names:
            monkeypatch.setattr(imported, name, getattr(found, name))
    # What is not held up is there in a moment, however busy the machine is.
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 30)
    known_answers.clear()
    method_seconds.clear()
    yield found
    for gate in found.gates:
        gate.set()


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch, fake: Fake) -> Iterator[ModelHost]:
    """The host that the pages get, its model loaded."""
    made = ModelHost(Settings(), load=fake.load, start=False)
    reload_model(made)
    monkeypatch.setattr("medgemma_dash.ui.state.host.model_host", lambda: made)
    yield made
    for gate in fake.gates:
        gate.set()
    made.close()


def reload_model(host: ModelHost) -> None:
    """Load it again, and wait until that is done."""
    host.reload()
    assert host.engine.submit(lambda context: None, owner="test", label="loaded").wait(30)


@pytest.fixture
def lose_model(host: ModelHost, fake: Fake) -> Callable[[str], None]:
    """Makes the model one that cannot be loaded, for this reason."""

    def lose(reason: str) -> None:
        fake.load_error = ModelNotFoundError(reason)
        reload_model(host)
        assert host.state == "failed"

    return lose


@pytest.fixture
def open_home(host: ModelHost) -> Callable[[], AppTest]:
    """The program at its first page."""
    return lambda: AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60).run()


@pytest.fixture
def open_explain(open_home: Callable[[], AppTest]) -> Callable[[], AppTest]:
    """The Explain page, run until its opening sample is answered and explained."""

    def open_it() -> AppTest:
        return rest(open_home().switch_page("pages/1_Explain.py").run())

    return open_it


def rest(app: AppTest) -> AppTest:
    """Wait for the session's jobs and let the page take their results over."""
    from medgemma_dash.ui.state.session import SESSION

    for _ in range(10):
        if SESSION not in app.session_state:
            return app
        waiting = app.session_state[SESSION].jobs
        # What has finished by itself waits to be taken over too.
        if not waiting.unfinished() and not any(key in waiting for key in TAKEN_OVER):
            return app
        for job in waiting.unfinished():
            assert job.wait(30)
        app.run()
    raise AssertionError("The page never came to rest.")


@pytest.fixture
def settle() -> Callable[[AppTest], AppTest]:
    """Wait for the session's jobs and let the page take their results over."""
    return rest


@pytest.fixture
def makers() -> SimpleNamespace:
    """Answers and explanations of the fake model."""
    return SimpleNamespace(answer=make_answer, explanation=make_explanation)
