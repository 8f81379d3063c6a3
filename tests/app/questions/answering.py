"""In the place of asking a row: most are answered by their truth, and each film of the third
finding is answered wrongly in one wording.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest

from medgemma_dash.services.questions.journal import Outcome
from medgemma_dash.ui.pages.questions.state import runs_under_way
from tests.app.browser_events import send

PATIENCE_SECONDS = 60  # only ever reached when a test fails
WRONG = "voice change"


@dataclass(eq=False)
class Answering:
    """asked: the rows, in order. stop_before: a row that waits until `gate` is open."""

    gate: threading.Event = field(default_factory=threading.Event)
    stop_before: int = -1
    asked: list[int] = field(default_factory=list)

    def row_steps(
        self, current: Any, row: Any, swapped: Any, questions: Any, check: Callable[[], None]
    ) -> Iterator[None]:
        while row.row == self.stop_before and not self.gate.wait(0.01):
            check()
            yield
        self.asked.append(row.row)
        yield
        truth = row.truth
        if row.strategy == WRONG and row.finding == "nodule":
            truth = "no" if truth == "yes" else "yes"
        sign = 1.0 if truth == "yes" else -1.0
        image = np.full((2, 2), 0.25, np.float32)
        image[0, 0] += len(row.asked) % 3
        digest = sha256(row.image.encode()).hexdigest()
        return Outcome(
            row.row, digest, truth.title(), sign, 0.25, -sign, "", 0.0,
            image if questions.plan.maps else None,
        )  # fmt: skip


def finish_runs(app: AppTest) -> AppTest:
    """Wait for every run, and draw the page as its own watch does then."""
    for run in runs_under_way().active():
        assert run.job.wait(PATIENCE_SECONDS)
    app.run()
    assert not app.exception
    return app


def click(app: AppTest, key: str, chosen: dict[str, Any]) -> AppTest:
    """Choose in a table; chosen: as the browser reports it."""
    found = next(one for one in app.dataframe if one.proto.id.endswith(f"-{key}"))
    return send(app, WidgetState(id=found.proto.id, string_value=json.dumps(chosen)))
