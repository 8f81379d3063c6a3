"""The tutorial notebook: it runs from top to bottom, and its figures are figures."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from medgemma_dash.services.pipeline.sentences import TITLES


@pytest.fixture(scope="module")
def cells(repository: Path) -> list[dict[str, Any]]:
    book = json.loads((repository / "notebooks" / "tutorial.ipynb").read_text("utf-8"))
    assert book["nbformat"] == 4
    found: list[dict[str, Any]] = book["cells"]
    return found


def test_the_notebook_runs_and_shows_what_it_says(
    cells: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, object] = {}
    shown = []
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == [], "The notebook is kept without its outputs."
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), "tutorial", "exec"), names)  # noqa: S102  our own file
        if last is not None:
            expression = compile(ast.Expression(last.value), "tutorial", "eval")
            shown.append(eval(expression, names))  # noqa: S307  our own file
    said = capsys.readouterr().out
    assert "Yes, there is consolidation in the right lower zone." in said
    for title in TITLES.values():
        assert f"{title}. " in said
    assert ("consolidation", "right", "lower") in shown[0]
    figures = [one for one in shown if isinstance(one, go.Figure)]
    assert [len(one.layout.images) for one in figures] == [0, 12, 1, 5]
