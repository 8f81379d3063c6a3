"""The test of maps as a task. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.record import Record
from medgemma_dash.core.target import Target
from medgemma_dash.services.faithfulness.known import Known
from medgemma_dash.services.faithfulness.look import MaskedAnswer, Step, masked_answer
from medgemma_dash.services.faithfulness.plan import USUAL_REMOVALS
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.metrics.faithfulness import FaithfulnessTable

TEST = "test"
RECORD = "faithfulness"
LOOK = "masked look"


def faithfulness_task(
    answer: Answer, target: Target, images: Sequence[npt.NDArray[np.float32]]
) -> Task[FaithfulnessTable]:
    """Remove what each map marks, and see what the target's probability loses.

    images: each explanation's `cells`, of all images.

    A contrastive target is tested by its own token: a probability has no runner-up.
    Clicks go between the batches.
    """

    def work(
        current: CurrentModel, context: JobContext
    ) -> Generator[object, None, FaithfulnessTable]:
        from medgemma_dash.services.faithfulness.scoring import faithfulness_steps

        return faithfulness_steps(current, answer, target, images, context.check, context.progress)

    return Task("Testing the maps", TEST, work, in_steps=True)


def faithfulness_record_task(
    answer: Answer,
    target: Target | tuple[str, str],
    methods: Sequence[str],
    removals: Sequence[str] = USUAL_REMOVALS,
    *,
    sanity: bool = True,
    known: Known | None = None,
) -> Task[Record]:
    """The whole test as a record, in the background: every click goes first.

    target: or the two words of a decision. known: what earlier tests of this target found.
    """

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, Record]:
        from medgemma_dash.services.explaining.targets import choose_target
        from medgemma_dash.services.faithfulness.request import request_for
        from medgemma_dash.services.faithfulness.run import faithfulness_record_steps

        chosen = target
        if not isinstance(chosen, Target):
            chosen = choose_target(current(), answer, margin=chosen)
        request = request_for(answer, chosen, methods, removals, sanity=sanity)
        return faithfulness_record_steps(current, request, context.check, context.progress, known)

    return Task("Testing what the maps mark", RECORD, work, in_steps=True, background=True)


def look_task(answer: Answer, record: Record, step: Step) -> Task[MaskedAnswer]:
    """What the model answers at one step of a curve of this record, which is of this answer."""

    def work(current: CurrentModel, context: JobContext) -> MaskedAnswer:
        return masked_answer(current, answer, record, step, context.check)

    return Task("Asking with parts of the image removed", LOOK, work)
