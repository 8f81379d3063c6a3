"""In the place of asking in other words: what each prompt comes to follows from its text alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.core.target import Target
from medgemma_dash.services.prompts.plan import KIND, UNCHANGED, PromptsPlan
from medgemma_dash.services.prompts.tables import Cell, Outcome, tables_of

MakeAnswer = Callable[..., Answer]
MakeExplanation = Callable[[Answer, Target, str], Explanation]
DENIED = "lung"  # a prompt with this word is answered with no
SAID_NO = ("No", ".", "")


def fake_record(
    radiograph: Radiograph,
    plan: PromptsPlan,
    make_answer: MakeAnswer,
    make_explanation: MakeExplanation,
) -> Record:
    """Each map has a row of cells of its own; blur has none."""
    outcomes = []
    images = (UNCHANGED, *plan.perturbations)
    every = [(image, variant) for image in images for variant in plan.prompts]
    for number, (image, variant) in enumerate(every, 1):
        denied = DENIED in variant.prompt
        said = {"said": SAID_NO} if denied else {}
        answer = make_answer(radiograph, variant.prompt, **said)
        explained = make_explanation(answer, Target("token", (number % 15,), ""), plan.method)
        no_map = image.startswith("blur")
        odds = -2.0 if denied else 1.0 + number / 10
        outcomes.append(
            Outcome(
                Cell(number, variant.strategy, variant.prompt, image),
                answer,
                (-np.log1p(np.exp(-odds)), -np.log1p(np.exp(odds))),
                None if no_map else explained,
                "It found nothing." if no_map else "",
            )
        )
    tables, maps = tables_of(outcomes)
    made_by = RecordProvenance("fake", "1", True, "cpu", "float32", (radiograph.sha256,), (), 0.1)
    return Record(KIND, asdict(plan), tables, made_by, maps)


def fake_steps(
    radiograph: Radiograph, plan: PromptsPlan, check: Any, progress: Any, *makers: Any
) -> Iterator[None]:
    """As `prompts_steps`."""
    check()
    progress(0, len(plan.prompts))
    yield
    return fake_record(radiograph, plan, *makers)
