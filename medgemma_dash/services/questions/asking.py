"""One row, put to the model: its answer, its margin, and its margin without its own image."""

import time
from collections.abc import Callable, Generator

import torch
from jaxtyping import Float
from torch import Tensor

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import (
    ImageError,
    MethodError,
    NoExplanationError,
    PromptError,
    TargetError,
)
from medgemma_dash.core.progress import Check
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.decision import spellings
from medgemma_dash.models.masked_forward import replaced_log_probabilities
from medgemma_dash.models.prompting import preprocessed
from medgemma_dash.services.datasets.questions.rows import QuestionRow
from medgemma_dash.services.explaining.asking import ask
from medgemma_dash.services.explaining.explain import explain
from medgemma_dash.services.questions.journal import Outcome
from medgemma_dash.services.questions.pictures import Pictures
from medgemma_dash.services.questions.question_set import QuestionSet

NAN = float("nan")
DECISION = ("Yes", "No")


def row_steps(
    current: Callable[[], VisionLanguageModel],
    row: QuestionRow,
    swapped: QuestionRow | None,
    questions: QuestionSet,
    check: Check | None = None,
) -> Generator[None, None, Outcome]:
    """Ask a row; what is wrong with its image or its question is the outcome's problem.

    swapped: the row whose image takes the place of its own. Yields between answer, floors and map,
    for a click that comes meanwhile waits for one of them and not for all.
    """
    began, plan, pictures = time.perf_counter(), questions.plan, questions.pictures
    waited = 0.0
    problem, digest, answer, drawn = row.problem, "", None, None
    floors = (NAN, NAN)
    model = current()
    kept = model.replays.keys()
    try:
        radiograph = pictures.open(row.image, check)
        digest = radiograph.sha256
        answer = ask(model, radiograph, row.asked, max_new_tokens=plan.max_new_tokens, check=check)
        waited += yield from _pause()
        other = _other(swapped, pictures, digest, check)
        floors = _floors(current(), answer, other, check)
        if plan.maps:
            waited += yield from _pause()
            drawn = explain(current(), answer, margin=DECISION, check=check).image
    except (ImageError, PromptError) as error:
        problem = f"{problem} {error}".strip()
    except (TargetError, MethodError, NoExplanationError) as error:
        problem = f"{problem} There is no map: {error}".strip()
    finally:
        # Nobody clicks on these answers: memory stays flat over any number of rows.
        if answer is not None and answer.key not in kept:
            model.replays.forget(answer.key)
    margin = None if answer is None else answer.margin
    return Outcome(
        row=row.row,
        image_sha256=digest,
        answer=None if answer is None else answer.text,
        margin=NAN if margin is None else margin,
        blank_margin=floors[0],
        swapped_margin=floors[1],
        problem=problem,
        seconds=time.perf_counter() - began - waited,
        map=drawn,
    )


def _pause() -> Generator[None, None, float]:
    """Let others go first; how long they took."""
    began = time.perf_counter()
    yield
    return time.perf_counter() - began


def _other(
    swapped: QuestionRow | None, pictures: Pictures, digest: str, check: Check | None
) -> Radiograph | None:
    """The image to be swapped in; none where it cannot be read or is the same one."""
    if swapped is None:
        return None
    try:
        other = pictures.open(swapped.image, check)
    except ImageError:  # it is the problem of its own row
        return None
    return None if other.sha256 == digest else other


def _floors(
    model: VisionLanguageModel, answer: Answer, other: Radiograph | None, check: Check | None
) -> tuple[float, float]:
    """The margin with every soft token replaced by their mean, and with the other image's."""
    tokenizer = model.processor.tokenizer
    yes, no = (spellings(tokenizer, word) for word in DECISION)
    if not (yes and no):
        return NAN, NAN
    places = [(answer.prompt_length - 1, token) for token in (*yes, *no)]
    with model.lock:
        replay = replay_answer(model, answer, check)
        soft = replay.embeddings[slice(*answer.image_span)]
        shown = [soft.float().mean(0, keepdim=True).expand_as(soft)]
        if other is not None:
            shown.append(soft_tokens(model, other).to(soft.device).float())
        found = replaced_log_probabilities(
            replay, answer.image_spans, torch.stack(shown), places, check
        ).double()
    # Of log-probabilities at one place the same as of logits: what they are less is the same.
    margins = (found[:, : len(yes)].logsumexp(1) - found[:, len(yes) :].logsumexp(1)).tolist()
    return margins[0], margins[1] if other is not None else NAN


def soft_tokens(
    model: VisionLanguageModel, radiograph: Radiograph
) -> Float[Tensor, "soft_tokens hidden"]:
    """Its soft tokens, kept with the model; the caller holds the model's lock."""
    return model.keep_of_image(
        radiograph.sha256, lambda: model.encode_pixels(preprocessed(model, radiograph))
    )
