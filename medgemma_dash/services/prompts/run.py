"""One question in several phrasings about one image and changed copies of it: what stays."""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from medgemma_dash.core.errors import (
    ImageError,
    MethodError,
    NoExplanationError,
    PromptError,
)
from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.record import Record
from medgemma_dash.imaging.perturbations import perturbed, read_perturbation
from medgemma_dash.methods import get
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.prompting import check_text
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain_target
from medgemma_dash.services.explaining.provenance import record_provenance
from medgemma_dash.services.explaining.targets import margin_target
from medgemma_dash.services.prompts.plan import KIND, SIDES, UNCHANGED, PromptsPlan, prompts_of
from medgemma_dash.services.prompts.tables import Cell, Outcome, tables_of


def prompt_sensitivity(
    model: VisionLanguageModel,
    xray: Radiograph,
    question: str,
    variants: Mapping[str, str] | Sequence[str] | None = None,
    perturbations: Sequence[str] = (),
    *,
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    seed: int = 0,
    max_new_tokens: int = 256,
    progress: Progress | None = None,
    check: Check | None = None,
) -> Record:
    """Whether the phrasing changes the answer or the map: a record of the kind "prompts".

    variants: the same question in other words, by strategy or in a list; None: those that rules
    of English make of it. perturbations: changes of the image, each asked about in every phrasing:
    noise, contrast, brightness, blur, rotation or pixels, with an amount behind it as in
    "brightness=0.9" or without. Every map is the method's of the margin, what decided between yes
    and no, so that every prompt has one. A perturbation that empties the image is left out, and
    the record's table left_out says why. progress counts answers; check may raise to stop.
    Raises PromptError for variants that are empty or double, and where there is nothing to
    compare; ImageError for an unknown perturbation, and where nothing is left to compare because
    all of them empty the image; MethodError for a method that cannot explain a margin;
    TargetError where the tokenizer has no yes and no.
    """
    plan = prompts_plan(
        xray, question, variants, perturbations, method, options, seed, max_new_tokens
    )
    return finish(prompts_steps(lambda: model, xray, plan, check, progress))


def prompts_plan(
    xray: Radiograph,
    question: str,
    variants: Mapping[str, str] | Sequence[str] | None = None,
    perturbations: Sequence[str] = (),
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    seed: int = 0,
    max_new_tokens: int = 256,
) -> PromptsPlan:
    """The plan of `prompt_sensitivity`; raises as it does, but for what the model knows."""
    if not isinstance(xray, Radiograph):
        raise PromptError("Phrasings are compared on one radiograph. Open it with load_radiograph.")
    prompts = prompts_of(question, variants)
    texts = (perturbations,) if isinstance(perturbations, str) else perturbations
    names = tuple(dict.fromkeys(read_perturbation(one).name for one in texts))
    if len(prompts) == 1 and not names:
        raise PromptError(
            "There is nothing to compare: no rule makes another phrasing of this question, which "
            "does not ask in a known form whether something is there. Give variants of your own, "
            "or changes of the image."
        )
    spec = get(method).spec
    chosen = spec.option_values(options or {})
    if not spec.contrastive:
        raise MethodError(
            f"{spec.title} cannot explain a decision between yes and no, which is what is compared "
            "here. Choose another method, such as chefer."
        )
    return PromptsPlan(xray.sha256, prompts, names, seed, method, chosen, max_new_tokens)


def prompts_steps(
    current: Callable[[], VisionLanguageModel],
    xray: Radiograph,
    plan: PromptsPlan,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Record]:
    """As `prompt_sensitivity`, one answer at a time; yields between them."""
    began, tell = time.perf_counter(), progress or (lambda done, total: None)
    images, left_out = _images(xray, plan)
    every = [(image, variant) for image in images.items() for variant in plan.prompts]
    outcomes: list[Outcome] = []
    for number, ((perturbation, radiograph), variant) in enumerate(every):
        tell(number, len(every))
        if number:
            yield
        model = current()
        with model.lock:
            if not number:
                for one in plan.prompts:
                    check_text(model, one.prompt, f"{one.strategy} prompt")
            cell = Cell(number + 1, variant.strategy, variant.prompt, perturbation)
            outcomes.append(_outcome(model, radiograph, cell, plan, check))
    tell(len(every), len(every))
    tables, maps = tables_of(outcomes, left_out)
    return Record(
        kind=KIND,
        plan=asdict(plan),
        tables=tables,
        maps=maps,
        provenance=record_provenance(model, (plan.image_sha256,), time.perf_counter() - began),
    )


def _images(xray: Radiograph, plan: PromptsPlan) -> tuple[dict[str, Radiograph], dict[str, str]]:
    """The image and its changed copies, and why some changes have none; by the changes' names.

    Each is made before anything is asked. Raises ImageError where there is nothing to compare.
    """
    images, left_out = {UNCHANGED: xray}, {}
    for name in plan.perturbations:
        try:
            images[name] = perturbed(xray, read_perturbation(name), plan.seed)
        except ImageError as error:
            left_out[name] = str(error)
    if len(images) * len(plan.prompts) == 1:
        raise ImageError(" ".join(left_out.values()))
    return images, left_out


def _outcome(
    model: VisionLanguageModel,
    radiograph: Radiograph,
    cell: Cell,
    plan: PromptsPlan,
    check: Check | None,
) -> Outcome:
    """Answer, decision and map of one prompt about one image; the caller holds the lock."""
    answer = ask(model, radiograph, cell.prompt, max_new_tokens=plan.max_new_tokens, check=check)
    target = margin_target(model, answer, *SIDES)
    nats = replay_answer(model, answer, check).logits(answer.prompt_length - 1).double()
    nats = nats.log_softmax(-1)
    margin = target.margin
    assert margin is not None  # noqa: S101  a margin's target has one
    yes, no = (float(nats[list(ids)].logsumexp(0)) for ids in (margin.yes_ids, margin.no_ids))
    explanation, reason = None, ""
    try:
        explanation = explain_target(
            model, answer, target, method=plan.method, options=dict(plan.options), check=check
        )
    except NoExplanationError as error:
        reason = str(error)
    if explanation is not None and np.ptp(explanation.image) == 0:
        explanation, reason = None, "It found the same everywhere on the image: that is no map."
    return Outcome(cell, answer, (yes, no), explanation, reason)
