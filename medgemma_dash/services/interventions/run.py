"""Cells of an image removed, or alone kept: every word's logit then, and the answer anew.

Words are teacher-forced on the answer as it stands; beside the selection stand the same cells at
other places, and the whole image removed.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Bool, Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MethodError, NoExplanationError, TargetError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.metrics.box_scores import displaced_cells
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.embedding import soft_positions
from medgemma_dash.models.masked_forward import (
    TokenReadings,
    replaced_readings,
    replayed_readings,
)
from medgemma_dash.models.regeneration import Regenerated, regenerate
from medgemma_dash.services.explaining.explain import target_steps
from medgemma_dash.services.explaining.image_removal import ImageRemoval
from medgemma_dash.services.explaining.provenance import record_provenance
from medgemma_dash.services.explaining.targets import choose_target
from medgemma_dash.services.interventions.plan import COPIES, KIND, How, InterventionPlan, mask_of
from medgemma_dash.services.interventions.request import Request, request_for
from medgemma_dash.services.interventions.tables import Readings, tables_of


def intervene(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    remove: npt.ArrayLike | None = None,
    keep: npt.ArrayLike | None = None,
    image: int = -1,
    removal: str = "mean token",
    donor: Radiograph | None = None,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    margin: tuple[str, str] | None = None,
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    copies: int = COPIES,
    max_new_tokens: int | None = None,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """Remove patches of an image, or all but them: a record of the kind "interventions".

    remove, keep: bool (rows, columns), the grid of image tokens; exactly one of the two. image:
    which of the answer's radiographs they are of, by default the current one; the others are left
    as they are. removal: "mean token", "another patient" (soft tokens replaced), "blur", "mean
    grey", "inpainting" (the picture changed, and encoded again). donor: the other patient's
    radiograph; by default a shipped sample. The selection is scored against the map, by `method`,
    of a target that is chosen as in `explain`. copies: at most so many displaced selections stand
    beside it. max_new_tokens: of the answer anew; by default as many as the old one had, where that
    was cut off, else 256. progress counts runs of the model; check may raise to stop.
    Raises TargetError for a selection or target that cannot be, PromptError, MethodError and
    ImageError.
    """
    if (remove is None) == (keep is None):
        raise TargetError("Say which patches to remove, or which to keep: one of the two.")
    how: How = "keep" if remove is None else "remove"
    target = choose_target(model, answer, token=token, phrase=phrase, span=span, margin=margin)
    asked = request_for(
        answer,
        target,
        keep if remove is None else remove,
        how,
        image=image,
        removal=removal,
        donor=donor,
        method=method,
        options=options,
        copies=copies,
        max_new_tokens=max_new_tokens,
    )
    return finish(intervention_steps(lambda: model, asked, check, progress))


def intervention_steps(
    current: Callable[[], VisionLanguageModel],
    request: Request,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Record]:
    """As `intervene`, a few runs of the model at a time; yields between them."""
    began, answer, plan = time.perf_counter(), request.answer, request.plan
    copies = _copies(plan)
    masks = np.stack([_removed(answer, plan, cells) for cells in _every_selection(plan, copies)])
    removal = ImageRemoval(answer, plan.removal, request.donor)
    again = 2 if answer.forced else 1
    total, done = 1 + again + len(masks), 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    tell(0)
    explanation, problem = yield from _map(current, request, check)
    tell(1)
    found: list[TokenReadings] = []
    before: TokenReadings | None = None
    place = 0
    while place < len(masks):
        yield
        model = current()
        with model.lock:
            replay = replay_answer(model, answer, check)
            if before is None:
                before = replayed_readings(replay, _places(answer))
            some = masks[place : place + removal.at_once(model)]
            features = removal.features(model, replay, some, check)
            found.append(
                replaced_readings(replay, answer.image_spans, features, _places(answer), check)
            )
        place += len(some)
        tell(len(some))
    generated = []
    for mask in (masks[:1], np.zeros_like(masks[:1]))[:again]:
        yield
        generated.append(_generated(current(), request, removal, mask, check))
        tell(1)
    model = current()
    assert before is not None  # noqa: S101  there is one mask at least
    readings = _readings(model, before, found)
    images = [] if explanation is None else list(explanation.images)
    donor = () if request.donor is None else (request.donor.sha256,)
    return Record(
        kind=KIND,
        plan=asdict(plan),
        tables=tables_of(
            answer,
            plan,
            readings,
            copies,
            generated,
            images[plan.image] if images else None,
            problem,
        ),
        provenance=record_provenance(
            model, (*plan.asked.image_sha256s, *donor), time.perf_counter() - began
        ),
        maps={plan.method: images[plan.image]} if images else {},
    )


def _copies(plan: InterventionPlan) -> Bool[np.ndarray, "copies rows cols"]:
    """Displaced selections, spread evenly over the places that there are."""
    every = displaced_cells(mask_of(plan.cells, plan.grid))
    count = min(plan.copies, len(every))
    which = np.linspace(0, max(0, len(every) - 1), count).round().astype(np.int64)
    chosen: Bool[np.ndarray, "copies rows cols"] = every[which]
    return chosen


def _every_selection(
    plan: InterventionPlan, copies: Bool[np.ndarray, "copies rows cols"]
) -> list[Bool[np.ndarray, "rows cols"]]:
    """The selection, that by which the whole image is removed, and the displaced ones."""
    whole = np.full(plan.grid, plan.how == "remove")
    return [mask_of(plan.cells, plan.grid), whole, *copies]


def _removed(
    answer: Answer, plan: InterventionPlan, selected: Bool[np.ndarray, "rows cols"]
) -> Bool[np.ndarray, " cells"]:
    """What of all images' cells is removed."""
    parts = [np.zeros(image.grid[0] * image.grid[1], np.bool_) for image in answer.images]
    parts[plan.image] = (selected if plan.how == "remove" else ~selected).ravel()
    return np.concatenate(parts)


def _places(answer: Answer) -> list[tuple[int, int]]:
    return [(token.position - 1, token.id) for token in answer.tokens]


def _map(
    current: Callable[[], VisionLanguageModel], request: Request, check: Check | None
) -> Generator[None, None, tuple[Explanation | None, str]]:
    """The map that the selection is scored against, or why there is none."""
    if request.explanation is not None:
        return request.explanation, ""
    try:
        found = yield from target_steps(
            current(),
            request.answer,
            request.target,
            method=request.plan.method,
            options=request.plan.options,
            check=check,
        )
    except (NoExplanationError, MethodError, TargetError) as error:
        return None, str(error)
    return found, ""


def _generated(
    model: VisionLanguageModel,
    request: Request,
    removal: ImageRemoval,
    mask: Bool[np.ndarray, "1 cells"],
    check: Check | None,
) -> Regenerated:
    answer = request.answer
    prompt = torch.from_numpy(answer.input_ids[: answer.prompt_length].copy())
    with model.lock:
        replay = replay_answer(model, answer, check)
        if mask.any():
            features = removal.features(model, replay, mask, check)[0]
        else:
            features = replay.embeddings[soft_positions(answer.image_spans)]
        most = request.plan.max_new_tokens
        return regenerate(model, prompt, answer.image_spans, features, most, check)


def _readings(
    model: VisionLanguageModel, before: TokenReadings, found: Sequence[TokenReadings]
) -> Readings:
    def together(name: str) -> Float[np.ndarray, "variants tokens"]:
        parts = [getattr(one, name).double().cpu().numpy() for one in (before, *found)]
        joined: Float[np.ndarray, "variants tokens"] = np.concatenate(parts)
        return joined

    first = found[0].first[0].tolist()
    decode = model.processor.tokenizer.decode
    return Readings(
        logits=together("logits"),
        log_probabilities=together("log_probabilities"),
        first_after=tuple(str(decode([one])) for one in first),
    )
