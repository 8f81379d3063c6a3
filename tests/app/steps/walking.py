"""In the place of the way to a map: the same numbers for each token, at once or when let go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.target import Target
from medgemma_dash.metrics.agreement_controls import judged_agreement
from medgemma_dash.services.pipeline.view import (
    LogitThere,
    Mistake,
    MistakeName,
    PipelineView,
    Replayed,
)
from tests.app.fake_model import make_explanation
from tests.app.layers.looking import HEADS, LAYERS, view_of
from tests.app.opened import PATIENCE_SECONDS

NAMES: tuple[MistakeName, ...] = ("doubled_bos", "causal_images", "last_position", "row_p")
OTHERWISE = 7  # the token that a causal replay would say otherwise


@dataclass(eq=False)
class Walking:
    """What was gone through, and what becomes of it.

    gate: each walk waits for it. failure: ends a walk.
    """

    gate: Any
    walked: list[Target] = field(default_factory=list)
    failure: MedGemmaDashError | None = None
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, walks: int) -> None:
        """Until so many have begun."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.walked) >= walks, PATIENCE_SECONDS)

    def pipeline_steps(
        self, current: Any, store: Any, target: Target, place: int, context: Any
    ) -> Iterator[None]:
        part = target.parts[place]
        with self._news:
            self.walked.append(part)
            self._news.notify_all()
        self.gate.pass_through(context.check)
        if self.failure is not None:
            raise self.failure
        return walked(store.answer, target, part)
        yield


def walked(answer: Answer, target: Target, part: Target) -> PipelineView:
    """A view whose mistakes shift its one blot, the more the later they are made."""
    layers = view_of(answer, part)
    right = layers.gathered_map(0)
    mistakes = []
    for shift, name in enumerate(NAMES, 1):
        wrong = np.roll(right, shift, axis=1)
        replayed = None
        if shift <= 2:
            instead = ["" for _ in answer.tokens]
            if name == "causal_images":
                instead[OTHERWISE] = " <b>left</b>"
            count = len(answer.tokens)
            replayed = Replayed(
                np.full(count, 0.5, np.float32), tuple(instead), np.ones(count, np.float32)
            )
        mistakes.append(
            Mistake(
                name,
                wrong,
                len(answer.input_ids) - 1,
                LogitThere(1, "<end_of_turn>", 2.5),
                answer.image_span,
                judged_agreement(right, wrong, "divergence"),
                judged_agreement(right, wrong, "top_overlap"),
                replayed,
                0.0 if name == "doubled_bos" else None,
            )
        )
    several = len(target.parts) > 1
    return PipelineView(
        answer_key=answer.key,
        target=part,
        position=answer.tokens[part.token_indices[0]].position,
        layers=layers,
        gradient=np.full((LAYERS, HEADS, len(answer.input_ids)), 0.1, np.float32),
        logit=11.7,
        candidates=(LogitThere(5, " consolidation", 11.7), LogitThere(6, " *a*", 4.0)),
        mistakes=tuple(mistakes),
        word=make_explanation(answer, target, "chefer") if several else None,
    )
