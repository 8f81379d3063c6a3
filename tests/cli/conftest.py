"""Commands on a loaded model and a film whose file's name says too much; what they say of it.

A module names its command, the question, and what else every call of it is given:
COMMAND, QUESTION, GIVEN.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from medgemma_dash import cli
from medgemma_dash.cli import chosen_model

Run = Callable[..., int]


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize

    path = tmp_path_factory.mktemp("pictures") / "Jane Doe 1970.png"
    Image.fromarray(synthesize(FIRST_EVALUATION_SEED + 3).pixels).save(path)
    return path


@pytest.fixture
def model(demo_model):
    """Which the commands load."""
    return demo_model


@pytest.fixture
def run(request, picture, model, monkeypatch) -> Run:
    """Calls the module's command; its status."""
    monkeypatch.setattr(chosen_model, "load_model", lambda *names, **options: model)
    module = request.module
    given = [module.COMMAND, str(picture), module.QUESTION, *module.GIVEN]
    return lambda *options: cli.main([*given, *map(str, options)])


@pytest.fixture
def refusal(run, capsys) -> Callable[..., str]:
    """Calls it with what it refuses; the one line that says why."""

    def refused(*options: object) -> str:
        assert run(*options) == 2
        line: str = capsys.readouterr().err.strip().splitlines()[-1]
        assert line.startswith("error: ")
        return line

    return refused


@pytest.fixture
def report_of(monkeypatch, tmp_path) -> Callable[[Path], str]:
    """The report of a record that was written, made without a model."""

    def made(record: Path) -> str:
        monkeypatch.setattr(chosen_model, "load_model", None)
        page = tmp_path / "report.html"
        assert cli.main(["report", str(record), "--out", str(page)]) == 0
        html = page.read_text("utf-8")
        assert "What this does not show" in html
        assert "Jane" not in html
        return html

    return made
