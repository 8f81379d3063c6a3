"""What takes the place of comparing methods on a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.steps import MethodOutcome
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.tasks import compare_task
from medgemma_dash.services.runtime.task import Task


@dataclass(eq=False)
class Comparing:
    """In the place of `compare_steps`: which methods each was sent for, and what becomes of them.

    gate: each method waits for it. reasons: of methods that find nothing, and whether they last.
    failure: ends a whole job.
    """

    explanation: Callable[..., Any]
    gate: Any
    sent: list[list[str]] = field(default_factory=list)
    reasons: dict[str, tuple[str, bool]] = field(default_factory=dict)
    failure: MedGemmaDashError | None = None

    def noted_task(self, store: Any, target: Target, methods: Any, seconds: Any) -> Task[None]:
        self.sent.append([method for method, _ in methods])
        return compare_task(store, target, methods, seconds)

    def __call__(
        self, current: Any, store: RelevanceStore, target: Target, methods: Any, *rest: Any
    ) -> Iterator[None]:
        context = rest[0]
        for place, (method, options) in enumerate(methods):
            context.progress(place, len(methods))
            context.note(f"{method}, 3 of 8")
            self.gate.pass_through(context.check)
            if self.failure is not None:
                raise self.failure
            if method in self.reasons:
                reason, lasting = self.reasons[method]
                context.emit(MethodOutcome(method, options, None, reason, lasting))
            else:
                found = self.explanation(store.answer, target, method)
                store.add(found, options)
                context.emit(MethodOutcome(method, options, found))
            yield
