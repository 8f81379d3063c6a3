"""Evidence as a task. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.record import Record
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

EVIDENCE = "evidence"


def evidence_task(answer: Answer) -> Task[Record]:
    """How much each word needed the image, in the background: every click goes first."""

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, Record]:
        from medgemma_dash.services.evidence.donors import donors_for
        from medgemma_dash.services.evidence.run import evidence_steps

        donors = donors_for(answer)
        return evidence_steps(current, answer, donors, context.check, context.progress)

    return Task(
        "Weighing what each word owes to the image", EVIDENCE, work, in_steps=True, background=True
    )
