"""A faithfulness test computed again, from what its record says was asked."""

from collections.abc import Mapping

from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.asking import ask_again
from medgemma_dash.services.explaining.targets import target_again
from medgemma_dash.services.faithfulness.request import request_for
from medgemma_dash.services.faithfulness.run import faithfulness_record_steps


def faithfulness_again(
    model: VisionLanguageModel,
    record: Record,
    radiographs: Mapping[str, Radiograph],
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """The record of the same question by this model. radiographs: by sha256, the donor among them.

    Raises TargetError where the new answer is too short to have the target.
    """
    plan = record.plan
    answer = ask_again(model, plan["asked"], radiographs, check)
    target = target_again(answer, plan["target"])
    request = request_for(
        answer,
        target,
        plan["methods"],
        plan["removals"],
        draws=plan["draws"],
        donor=radiographs[plan["donor"]] if plan["donor"] else None,
        sanity=plan["sanity"],
    )
    return finish(faithfulness_record_steps(lambda: model, request, check, progress))
