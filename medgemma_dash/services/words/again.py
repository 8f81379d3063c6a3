"""Target words computed again, from what their record says was asked."""

from collections.abc import Mapping

from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.asking import ask_again
from medgemma_dash.services.words.run import target_words


def words_again(
    model: VisionLanguageModel,
    record: Record,
    radiographs: Mapping[str, Radiograph],
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """The record of the same words by this model. radiographs: by sha256."""
    plan = record.plan
    return target_words(
        model,
        ask_again(model, plan["asked"], radiographs, check),
        plan["words"],
        places=plan["places"],
        method=plan["method"],
        options=dict(plan["options"]),
        forced_after=plan["forced_after"],
        progress=progress,
        check=check,
    )
