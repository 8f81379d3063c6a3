"""Evidence computed again, from what its record says was asked."""

from collections.abc import Mapping

from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.evidence.run import evidence
from medgemma_dash.services.explaining.asking import ask_again


def evidence_again(
    model: VisionLanguageModel,
    record: Record,
    radiographs: Mapping[str, Radiograph],
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """The record of the same question by this model. radiographs: by sha256, donors among them."""
    answer = ask_again(model, record.plan["asked"], radiographs, check)
    donors = [radiographs[digest] for digest in record.plan["donors"]]
    return evidence(model, answer, donors=donors, progress=progress, check=check)
