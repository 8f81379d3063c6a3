"""A set of questions as a task. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

if TYPE_CHECKING:
    from medgemma_dash.core.record import Record
    from medgemma_dash.services.questions.under_way import RunUnderWay

QUESTIONS = "questions"
OWNER = "question sets"  # no session: what is asked for goes on when its page is closed


def questions_task(run: RunUnderWay, out: Path) -> Task[Record]:
    """Every row of a set, in the background: every click goes first.

    It needs no page to keep it alive. A row is on disk, in `out`, before the next one begins, so
    that whatever ends it the same task goes on from there.
    """

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, Record]:
        from medgemma_dash.services.questions.run import question_steps

        return question_steps(
            current, run.questions, out, context.check, context.progress, on_row=run.add
        )

    return Task(
        "Asking the question set",
        f"{QUESTIONS} {run.name}",
        work,
        in_steps=True,
        background=True,
        needs_heartbeat=False,
    )
