"""What is to be tested, with the radiographs at hand."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Asked
from medgemma_dash.core.target import Target
from medgemma_dash.services.explaining.image_removal import donor_for
from medgemma_dash.services.faithfulness.plan import (
    DRAWS,
    METHODS,
    USUAL_REMOVALS,
    FaithfulnessPlan,
    checked_choices,
)

SEED = 0


@dataclass(frozen=True, eq=False)
class Request:
    """What was asked, with the radiographs at hand."""

    answer: Answer
    target: Target
    plan: FaithfulnessPlan
    donor: Radiograph | None


def request_for(
    answer: Answer,
    target: Target,
    methods: Sequence[str] = METHODS,
    removals: Sequence[str] = USUAL_REMOVALS,
    *,
    draws: int = DRAWS,
    donor: Radiograph | None = None,
    sanity: bool = True,
) -> Request:
    """Find out what can be refused before the work; raises MethodError and ImageError."""
    names, ways = checked_choices(methods, removals, draws)
    other = donor_for(answer, donor) if "another patient" in ways else None
    plan = FaithfulnessPlan(
        asked=Asked.of(answer),
        target=asdict(target),
        methods=names,
        removals=ways,
        draws=draws,
        donor="" if other is None else other.sha256,
        seed=SEED,
        sanity=sanity,
    )
    return Request(answer, target, plan, other)
