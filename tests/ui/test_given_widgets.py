"""Widgets that the program fills: what they hold survives a run that is overtaken."""

from __future__ import annotations

import ast
from pathlib import Path

import medgemma_dash.ui

WIDGETS = {"text_input", "selectbox", "pills", "slider", "select_slider"}
UI = Path(medgemma_dash.ui.__file__).parent


def _name(node: ast.expr) -> str:
    """Of a key as code spells it: `METHOD`, `keys.METHOD`, or a call that makes one."""
    return ast.unparse(node).rpartition(".")[2].partition("(")[0]


def test_every_widget_that_is_given_its_value_keeps_it_for_the_session() -> None:
    given, widgets = set(), {}
    for file in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                options = {one.arg: one.value for one in node.keywords}
                if _name(node.func) == "give_widget":
                    given.add(_name(node.args[0]))
                elif "key" in options and _name(node.func) in WIDGETS:
                    widgets[_name(options["key"])] = "persist_state" in options
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                target = node.targets[0]
                if ast.unparse(target.value) == "st.session_state":
                    given.add(_name(target.slice))
    assert {"QUESTION", "METHOD", "window_key"} <= given & set(widgets)
    assert not [name for name in sorted(given & set(widgets)) if not widgets[name]]
