"""Interventions as a task. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.record import Record
from medgemma_dash.core.target import Target
from medgemma_dash.services.interventions.plan import How
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

INTERVENTION = "intervention"


def intervention_task(
    answer: Answer,
    target: Target,
    selected: npt.NDArray[np.bool_],
    how: How,
    *,
    removal: str = "mean token",
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    explanation: Explanation | None = None,
) -> Task[Record]:
    """Patches of the current radiograph removed, or alone kept; clicks go between its runs.

    explanation: the target's map by this method, where it is known.
    """

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, Record]:
        from medgemma_dash.services.interventions.request import request_for
        from medgemma_dash.services.interventions.run import intervention_steps

        request = request_for(
            answer,
            target,
            selected,
            how,
            removal=removal,
            method=method,
            options=options,
            explanation=explanation,
        )
        return intervention_steps(current, request, context.check, context.progress)

    what = "Removing the patches" if how == "remove" else "Keeping the patches alone"
    return Task(what, INTERVENTION, work, in_steps=True)
