"""In the place of looks into the model: each says the same, at once or when it is let go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.target import Target
from medgemma_dash.services.layers.view import LayerView
from tests.app.opened import PATIENCE_SECONDS

LAYERS, HEADS = 12, 8
STRONGEST = 7


@dataclass(eq=False)
class Looking:
    """In the place of looks into the model: what was asked for, and what becomes of it.

    gate: each look waits for it. failure: ends a look.
    """

    gate: Any
    looked: list[Target] = field(default_factory=list)
    read: list[int] = field(default_factory=list)
    failure: MedGemmaDashError | None = None
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, looks: int) -> None:
        """Until so many looks have begun."""
        with self._news:
            assert self._news.wait_for(
                lambda: len(self.looked) + len(self.read) >= looks, PATIENCE_SECONDS
            )

    def view_steps(
        self, current: Any, answer: Answer, target: Target, check: Callable[[], None], *_: Any
    ) -> Iterator[None]:
        self._begin(self.looked, target, check)
        return view_of(answer, target)
        yield

    def attention_of(
        self, model: Any, answer: Answer, position: int, check: Callable[[], None]
    ) -> np.ndarray:
        self._begin(self.read, position, check)
        return rows_of(answer)

    def _begin(self, noted: list[Any], what: Any, check: Callable[[], None]) -> None:
        with self._news:
            noted.append(what)
            self._news.notify_all()
        self.gate.pass_through(check)
        if self.failure is not None:
            raise self.failure


def rows_of(answer: Answer) -> np.ndarray:
    """Attention that is even, but for one layer that reads the image more than the others."""
    start, stop = answer.image_span
    rows = np.full((LAYERS, HEADS, len(answer.input_ids)), 0.001, np.float32)
    rows[STRONGEST, :, start:stop] = 0.003
    return rows


def view_of(answer: Answer, target: Target) -> LayerView:
    start, _ = answer.image_span
    gathered = np.zeros((LAYERS, len(answer.input_ids)), np.float32)
    gathered[:, start + 3 * answer.grid[1] + 5] = 1
    return LayerView(
        answer_key=answer.key,
        target=target,
        image_spans=answer.image_spans,
        grids=(answer.grid,),
        is_global=tuple(layer % 6 == 5 for layer in range(LAYERS)),
        attention=rows_of(answer),
        weighted=rows_of(answer),
        gathered=gathered,
    )
