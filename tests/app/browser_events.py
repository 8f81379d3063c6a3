"""What a browser sends for the elements that AppTest cannot click: charts and our components.

Where that draws only parts of the page anew, the returned page has these parts alone.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

_clicks = count()


def click_patch(app: AppTest, row: int, col: int, clicks: str = "map_clicks") -> AppTest:
    """Click a patch of the map that this component listens to."""
    return send(app, _trigger(app, clicks, "cell", [row, col]))


def choose_cells(app: AppTest, cells: list[tuple[int, int]], chart: str) -> AppTest:
    """Click a cell, or draw a box around several, in a chart that can be selected in."""
    points = [{"place": 0, "customdata": list(cell)} for cell in cells]
    return _choose(app, chart, points)


def choose_point(app: AppTest, chart: str, place: int | None) -> AppTest:
    """Click a point of a chart, a bar say; None: the one that is chosen, which lets it go."""
    return _choose(app, chart, [] if place is None else [{"place": place, "customdata": None}])


def _choose(app: AppTest, chart: str, points: list[dict[str, Any]]) -> AppTest:
    chosen = {"points": points, "box": [], "lasso": [], "nonce": f"test-{next(_clicks)}"}
    told = json.dumps({"selection": chosen})
    return send(app, WidgetState(id=_id(app, chart), json_value=told))


def click_head(app: AppTest, layer: int, head: int) -> AppTest:
    """Click a cell of the matrix of layers and heads."""
    return click_matrix(app, "head_clicks", layer, head)


def click_matrix(app: AppTest, clicks: str, column: int, row: int) -> AppTest:
    """Click a cell of the matrix that this component listens to."""
    click = {"column": column, "row": row, "nonce": f"test-{next(_clicks)}"}
    told = json.dumps({"click": click})
    return send(app, WidgetState(id=_id(app, clicks), json_value=told))


def choose_words(
    app: AppTest, start: int, stop: int, *, whole: bool = False, strip: str = "token_strip"
) -> AppTest:
    """Click a word of the strip, or shift-click a span, or ask for the whole answer."""
    drawn = json.loads(_element(app, strip).proto.json)
    choice = {
        "start": start,
        "stop": stop,
        "whole": whole,
        "generation": drawn["generation"],
        "nonce": f"test-{start}-{stop}-{whole}-{drawn['seen']}",
    }
    return send(app, WidgetState(id=_id(app, strip), json_value=json.dumps({"choice": choice})))


def choose_action(app: AppTest, line: str, action: str) -> AppTest:
    """Click an action in a line of text."""
    return send(app, _trigger(app, line, "chosen", action))


def drag_window(app: AppTest, centre: float, width: float) -> AppTest:
    """Drag on the radiograph, and let go at this window."""
    return send(app, _trigger(app, "map_window", "window", [centre, width]))


def lines_of(app: AppTest, key: str) -> list[str]:
    """The texts of the line with this key, as they are on the page; none when it is not there."""
    return ["".join(segment["text"] for segment in line) for line in _drawn_lines(app, key)]


def actions_of(app: AppTest, key: str) -> list[str]:
    """What can be clicked in the line with this key."""
    return [part["action"] for line in _drawn_lines(app, key) for part in line if part["action"]]


def strip_data(app: AppTest, strip: str = "token_strip") -> dict[str, Any]:
    """What the token strip was told to draw."""
    data: dict[str, Any] = json.loads(_element(app, strip).proto.json)
    return data


def send(app: AppTest, event: WidgetState) -> AppTest:
    """Run the page with what the browser reports besides the widgets' states."""
    states = app._tree.get_widget_states()
    states.widgets.append(event)
    return app._run(states)


def _drawn_lines(app: AppTest, key: str) -> list[list[dict[str, str]]]:
    found = [one for one in app.get("bidi_component") if one.key == key]
    return json.loads(found[-1].proto.json)["lines"] if found else []


def _element(app: AppTest, key: str) -> Any:
    return next(element for element in app.get("bidi_component") if element.key == key)


def _trigger(app: AppTest, key: str, event: str, value: object) -> WidgetState:
    trigger = _make_trigger_id(_id(app, key), "events")
    return WidgetState(
        id=trigger, json_trigger_value=json.dumps([{"event": event, "value": value}])
    )


def _id(app: AppTest, key: str) -> str:
    return str(_element(app, key).proto.id)
