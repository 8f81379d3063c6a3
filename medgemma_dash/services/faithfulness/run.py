"""Does a map tell the truth about the model? What it marks is removed, and the target watched."""

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import CancelledError, MethodError, OutOfMemoryError
from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.methods import get
from medgemma_dash.metrics.removal_curves import MaskPlan, plan_masks
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.provenance import record_provenance
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.faithfulness.known import Known, key_of
from medgemma_dash.services.faithfulness.plan import DRAWS, KIND, METHODS, USUAL_REMOVALS
from medgemma_dash.services.faithfulness.rankings import (
    FoundMaps,
    explained,
    named_images,
    rankings_of,
)
from medgemma_dash.services.faithfulness.removals import TargetScore
from medgemma_dash.services.faithfulness.request import Request, request_for
from medgemma_dash.services.faithfulness.sanity import Finding, Sanity, decided, sanity_pieces
from medgemma_dash.services.faithfulness.tables import Tested, tables_of
from medgemma_dash.services.runtime.failures import plain_error


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
    known: Known | None = None,
) -> Generator[None, None, Record]:
    """As `faithfulness`, a few runs of the model at a time; yields between them.

    A removal that cannot be had gives its reason, and the others are done. known: what was found
    before, and what is found now for the next time; the numbers are the same but for rounding,
    for they come from other batches.
    """
    began, answer, plan = time.perf_counter(), request.answer, request.plan
    known = Known() if known is None else known
    maps = yield from explained(current, answer, request.target, plan.methods, check, known.maps)
    ranked, rankings = rankings_of(answer, maps.found, plan)
    masks = plan_masks(rankings)
    pieces = sanity_pieces(current(), len(maps.found)) if plan.sanity else 0
    counter = _Counter(progress, len(plan.removals) * len(masks.masks) + pieces)
    counter.add(0)
    tests: list[Tested] = []
    scored: dict[str, Float[np.ndarray, " masks"]] = {}
    failures: dict[str, str] = {}
    for place, removal in enumerate(plan.removals):
        score = TargetScore(answer, request.target, removal, request.donor)
        before = known.scores.setdefault(removal, {})
        try:
            scored[removal] = yield from _scores(current, score, masks, check, counter, before)
        except CancelledError:
            raise
        except Exception as raised:
            failures[removal] = _reason(raised, removal, current)
            counter.done = (place + 1) * len(masks.masks)
        else:
            tests.append(Tested.of(removal, ranked, masks, scored[removal]))
    if not tests:
        reasons = "; ".join(f"{removal}: {reason}" for removal, reason in failures.items())
        raise MethodError(f"Nothing could be removed. {reasons}")
    findings: list[Finding] = []
    if plan.sanity:
        removal = tests[0].removal
        checks = _checks(request, maps, masks, removal, scored[removal])
        findings = yield from _findings(current, checks, check, counter, known)
    model = current()
    donor = () if request.donor is None else (request.donor.sha256,)
    titles = {name: get(name).spec.title for name in plan.methods}
    columns = list(Finding.__dataclass_fields__)
    sanity = pd.DataFrame([asdict(one) for one in findings], columns=columns)
    return Record(
        kind=KIND,
        plan=asdict(plan),
        tables=tables_of(tests, titles, maps.failures, failures) | {"sanity": sanity},
        provenance=record_provenance(
            model, (*plan.asked.image_sha256s, *donor), time.perf_counter() - began
        ),
        maps=named_images(maps.found),
    )


def _reason(raised: Exception, removal: str, current: Callable[[], VisionLanguageModel]) -> str:
    """Why a removal cannot be had."""
    error = plain_error(raised, f"Removing by {removal}")
    if isinstance(error, OutOfMemoryError):
        current().drop_caches()
    return str(error)


def _scores(
    current: Callable[[], VisionLanguageModel],
    score: TargetScore,
    masks: MaskPlan,
    check: Check | None,
    counter: _Counter,
    known: dict[bytes, float],
) -> Generator[None, None, Float[np.ndarray, " masks"]]:
    keys = [key_of(mask) for mask in masks.masks]
    missing = [place for place, key in enumerate(keys) if key not in known]
    if len(missing) < len(keys):
        counter.add(len(keys) - len(missing))
    while missing:
        yield
        model = current()
        size = score.at_once(model)
        batch, missing = missing[:size], missing[size:]
        found = score(model, masks.masks[batch], check).tolist()
        known.update(zip((keys[place] for place in batch), found, strict=True))
        counter.add(len(batch))
    return np.array([known[key] for key in keys])


def _findings(
    current: Callable[[], VisionLanguageModel],
    checks: Sanity,
    check: Check | None,
    counter: _Counter,
    known: Known,
) -> Generator[None, None, list[Finding]]:
    about = tuple(checks.maps), checks.removal
    if about not in known.findings:
        findings: list[Finding] = []
        for work in checks.pieces(current()):
            yield
            findings += work(current(), check)
            counter.add(1)
        known.findings[about] = decided(findings)
    return known.findings[about]


def _checks(
    request: Request,
    maps: FoundMaps,
    masks: MaskPlan,
    removal: str,
    scores: Float[np.ndarray, " masks"],
) -> Sanity:
    """The masks of the random rankings' deletions, which favour no map, tell the infidelity."""
    methods, draws = len(maps.found), request.plan.draws
    random = np.unique(masks.places[methods : methods + draws, 0])
    return Sanity(
        answer=request.answer,
        target=request.target,
        maps=maps.found,
        removal=removal,
        masks=masks.masks[random],
        scores=scores[random],
        whole=float(scores[masks.places[0, 0, 0]]),
        seed=request.plan.seed,
    )
