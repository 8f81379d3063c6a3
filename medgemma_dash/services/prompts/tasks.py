"""Prompt sensitivity as a task. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

PROMPTS = "prompts"


def prompts_task(
    radiograph: Radiograph,
    question: str,
    variants: Mapping[str, str] | Sequence[str] | None = None,
    perturbations: Sequence[str] = (),
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
) -> Task[Record]:
    """Phrasings and changes of the image; other sessions' clicks go between two of them."""

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, Record]:
        from medgemma_dash.services.prompts.run import prompts_plan, prompts_steps

        plan = prompts_plan(radiograph, question, variants, perturbations, method, options)
        return prompts_steps(current, radiograph, plan, context.check, context.progress)

    return Task("Asking in other words", PROMPTS, work, in_steps=True)
