"""Does a map tell the truth about the model? What it marks is removed, and the target watched."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Asked, Record
from medgemma_dash.core.target import Target
from medgemma_dash.methods import get
from medgemma_dash.metrics.removal_curves import MaskPlan, plan_masks
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.image_removal import donor_for
from medgemma_dash.services.explaining.provenance import record_provenance
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.faithfulness.plan import (
    DRAWS,
    KIND,
    METHODS,
    USUAL_REMOVALS,
    FaithfulnessPlan,
    checked_choices,
)
from medgemma_dash.services.faithfulness.rankings import (
    FoundMaps,
    explained,
    named_images,
    rankings_of,
)
from medgemma_dash.services.faithfulness.removals import TargetScore
from medgemma_dash.services.faithfulness.sanity import Finding, Sanity, decided, sanity_pieces
from medgemma_dash.services.faithfulness.tables import Tested, tables_of

SEED = 0


def faithfulness(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    margin: tuple[str, str] | None = None,
    methods: Sequence[str] = METHODS,
    removals: Sequence[str] = USUAL_REMOVALS,
    draws: int = DRAWS,
    donor: Radiograph | None = None,
    sanity: bool = True,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """Test methods' maps of a target on the model: a record of the kind "faithfulness".

    The target is chosen as in `explain`. removals: of "mean token", "another patient" (soft tokens
    replaced), "blur", "mean grey", "inpainting" (the picture changed, and encoded again). draws:
    random rankings beside them, ten at least, an even number. donor: the other patient's
    radiograph; by default a shipped sample. sanity: whether the methods are checked as well.
    progress counts masks, methods and checks; check may raise to stop. Raises TargetError,
    PromptError, ImageError, MethodError, and NoExplanationError where no method finds a map.
    """
    target = choose_target(model, answer, token=token, phrase=phrase, span=span, margin=margin)
    asked = request_for(answer, target, methods, removals, draws=draws, donor=donor, sanity=sanity)
    steps = faithfulness_record_steps(lambda: model, asked, check, progress)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            record: Record = end.value
            return record


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


@dataclass
class _Counter:
    """How much of the work is done; what it is in all is known when the maps are."""

    progress: Progress | None
    total: int
    done: int = 0

    def add(self, count: int) -> None:
        self.done += count
        if self.progress is not None:
            self.progress(self.done, self.total)


def faithfulness_record_steps(
    current: Callable[[], VisionLanguageModel],
    request: Request,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Record]:
    """As `faithfulness`, a few runs of the model at a time; yields between them."""
    began, answer, plan = time.perf_counter(), request.answer, request.plan
    maps = yield from explained(current, answer, request.target, plan.methods, check)
    ranked, rankings = rankings_of(answer, maps.found, plan)
    masks = plan_masks(rankings)
    pieces = sanity_pieces(current(), len(maps.found)) if plan.sanity else 0
    counter = _Counter(progress, len(plan.removals) * len(masks.masks) + pieces)
    counter.add(0)
    tests: list[Tested] = []
    scored: dict[str, Float[np.ndarray, " masks"]] = {}
    for removal in plan.removals:
        score = TargetScore(answer, request.target, removal, request.donor)
        scored[removal] = yield from _scores(current, score, masks, check, counter)
        tests.append(Tested.of(removal, ranked, masks, scored[removal]))
    findings: list[Finding] = []
    if plan.sanity:
        checks = _checks(request, maps, masks, scored[plan.removals[0]])
        for work in checks.pieces(current()):
            yield
            findings += work(current(), check)
            counter.add(1)
    model = current()
    donor = () if request.donor is None else (request.donor.sha256,)
    titles = {name: get(name).spec.title for name in plan.methods}
    columns = list(Finding.__dataclass_fields__)
    sanity = pd.DataFrame([asdict(one) for one in decided(findings)], columns=columns)
    return Record(
        kind=KIND,
        plan=asdict(plan),
        tables=tables_of(tests, titles, maps.failures) | {"sanity": sanity},
        provenance=record_provenance(
            model, (*plan.asked.image_sha256s, *donor), time.perf_counter() - began
        ),
        maps=named_images(maps.found),
    )


def _scores(
    current: Callable[[], VisionLanguageModel],
    score: TargetScore,
    masks: MaskPlan,
    check: Check | None,
    counter: _Counter,
) -> Generator[None, None, Float[np.ndarray, " masks"]]:
    found: list[Float[np.ndarray, " variants"]] = []
    done = 0
    while done < len(masks.masks):
        yield
        model = current()
        batch = masks.masks[done : done + score.at_once(model)]
        found.append(score(model, batch, check))
        done += len(batch)
        counter.add(len(batch))
    return np.concatenate(found)


def _checks(
    request: Request, maps: FoundMaps, masks: MaskPlan, scores: Float[np.ndarray, " masks"]
) -> Sanity:
    """The masks of the random rankings' deletions, which favour no map, tell the infidelity."""
    methods, draws = len(maps.found), request.plan.draws
    random = np.unique(masks.places[methods : methods + draws, 0])
    return Sanity(
        answer=request.answer,
        target=request.target,
        maps=maps.found,
        removal=request.plan.removals[0],
        masks=masks.masks[random],
        scores=scores[random],
        whole=float(scores[masks.places[0, 0, 0]]),
        seed=request.plan.seed,
    )
