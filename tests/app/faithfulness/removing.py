"""What takes the place of the model in a faithfulness test: the rest of it is the real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.core.target import Margin, Target
from medgemma_dash.services.faithfulness.look import MaskedAnswer, Step
from medgemma_dash.services.faithfulness.sanity import Finding
from tests.app.fake_model import GRID, make_explanation

DECISION = Target("margin", (0,), "Yes rather than No", margin=Margin((1,), (2,), "Yes", "No"))
EFFECT = 3.0  # in nats, of the cells on which the fake model's word leans


@dataclass(eq=False)
class Removing:
    """A target that owes all it has to the row of cells that its map marks.

    gate: each batch of masks waits for it. scored: how many masks by each removal. no_map: methods
        that fail. broken: removals that fail. looked: steps at which the model was asked.
    """

    gate: Any
    scored: dict[str, int] = field(default_factory=dict)
    explained: list[tuple[str, Target]] = field(default_factory=list)
    checked: int = 0
    no_map: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    looked: list[Step] = field(default_factory=list)

    def explain_target(
        self, _model: Any, answer: Answer, target: Target, *, method: str, check: Any
    ) -> Explanation:
        if method in self.no_map:
            raise MethodError("It cannot explain this.")
        self.explained.append((method, target))
        return make_explanation(answer, target, method)

    def score(self, _answer: Answer, target: Target, removal: str, _donor: Any) -> FakeScore:
        return FakeScore(self, target, removal)

    def masked_answer(
        self, _current: Any, answer: Answer, _record: Record, step: Step, _check: Any
    ) -> MaskedAnswer:
        self.looked.append(step)
        if step.share < 0.5:
            return MaskedAnswer(answer.text, same=True, cut_off=False)
        return MaskedAnswer("No, <b>nothing</b>.", same=False, cut_off=False)

    def pieces(self, _sanity: Any, _model: Any) -> Iterator[Callable[..., list[Finding]]]:
        def work(*_: Any) -> list[Finding]:
            self.checked += 1
            return [
                Finding("spatial order", "", "split", 0.97, True),
                Finding("repeatability", "chefer", "", 0.0, True),
                Finding("decoder randomisation", "chefer", "1 of 2 layers", 0.1, False),
                Finding("decoder randomisation", "chefer", "2 of 2 layers", 0.9, False),
            ]

        yield work


@dataclass(eq=False)
class FakeScore:
    """In the place of `TargetScore`."""

    removing: Removing
    target: Target
    removal: str

    def __call__(self, _model: Any, masks: np.ndarray, check: Callable[[], None]) -> np.ndarray:
        self.removing.gate.pass_through(check)
        if self.removal in self.removing.broken:
            raise MethodError("There is no such scissors.")
        before = self.removing.scored.get(self.removal, 0)
        self.removing.scored[self.removal] = before + len(masks)
        row = self.target.token_indices[0]
        marked = masks.reshape(-1, *GRID)[:, row]
        return -0.01 - EFFECT * marked.mean(1)

    def at_once(self, _model: Any) -> int:
        return 32


def made_by(*_: Any) -> RecordProvenance:
    return RecordProvenance("fake", "1", True, "cpu", "float32", (), (), 0.1)
