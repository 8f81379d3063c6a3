"""What is to be removed or kept, with the radiographs at hand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import TargetError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Asked
from medgemma_dash.core.removals import checked_removal
from medgemma_dash.core.target import Target
from medgemma_dash.methods import get
from medgemma_dash.services.explaining.image_removal import donor_for
from medgemma_dash.services.interventions.plan import (
    COPIES,
    MAX_NEW_TOKENS,
    How,
    InterventionPlan,
    cells_of,
    checked_selection,
)


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked, with the radiographs at hand. explanation: the map, where it is known."""

    answer: Answer
    target: Target
    plan: InterventionPlan
    donor: Radiograph | None
    explanation: Explanation | None = None


def request_for(
    answer: Answer,
    target: Target,
    selected: object,
    how: How,
    *,
    image: int = -1,
    removal: str = "mean token",
    donor: Radiograph | None = None,
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    copies: int = COPIES,
    max_new_tokens: int | None = None,
    explanation: Explanation | None = None,
) -> Request:
    """Find out what can be refused before the work; raises TargetError, MethodError, ImageError."""
    count = len(answer.images)
    if not -count <= image < count:
        raise TargetError(f"There is no image {image}; the answer is about {count}.")
    mask = checked_selection(selected, answer.images[image].grid)
    get(method).spec.option_values(options or {})
    other = donor_for(answer, donor) if checked_removal(removal) == "another patient" else None
    if max_new_tokens is None:
        max_new_tokens = len(answer.tokens) if answer.stopped == "length" else MAX_NEW_TOKENS
    plan = InterventionPlan(
        asked=Asked.of(answer),
        how=how,
        cells=cells_of(mask),
        grid=answer.images[image].grid,
        image=image % count,
        removal=removal,
        donor="" if other is None else other.sha256,
        target=asdict(target),
        method=method,
        options=dict(options or {}),
        copies=max(0, copies),
        max_new_tokens=max(1, max_new_tokens),
    )
    return Request(answer, target, plan, other, explanation)
