"""Explain an answer's words."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import EarlierImage, Explanation, Provenance
from medgemma_dash.core.progress import Check, Progress, finish
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.methods import Method, MethodSpec, get
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.image_attention import image_attention_shares
from medgemma_dash.services.explaining.provenance import library_versions
from medgemma_dash.services.explaining.rows import MEAN_OF_MAPS, Origin, assemble
from medgemma_dash.services.explaining.run import MethodOptions, method_steps, run_method
from medgemma_dash.services.explaining.targets import choose_target, token_target


def explain(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    against: str | None = None,
    margin: tuple[str, str] | None = None,
    method: str = "chefer",
    check: Check | None = None,
    progress: Progress | None = None,
    **options: str,
) -> Explanation:
    """Why the model said a token, a phrase, a span (half-open), or the whole answer.

    against: explain one token rather than this one. margin: explain the decision between two words
    at the answer's first place, such as ("Yes", "No"), whichever way it fell; given alone.
    options: the method's own.
    Warns where `against` is several tokens: the contrast is with the first, as the target says.
    Raises TargetError, PromptError, MethodError, or NoExplanationError when nothing is found.
    """
    target = choose_target(
        model, answer, token=token, phrase=phrase, span=span, against=against, margin=margin
    )
    return explain_target(
        model, answer, target, method=method, options=options, check=check, progress=progress
    )


def explain_target(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    *,
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain a target that is already known; see `explain`."""
    with model.lock:
        return finish(
            target_steps(
                model,
                answer,
                target,
                method=method,
                options=options,
                check=check,
                progress=progress,
            )
        )


def target_steps(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    *,
    method: str,
    options: Mapping[str, str] | None = None,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Explanation]:
    """As `explain_target`, in the steps of `method_steps`."""
    chosen = get(method)
    every_option = chosen.spec.option_values(options or {})
    # Its tokens one by one, or all in one summed backward pass.
    apart = dict(every_option).get("words", MEAN_OF_MAPS) == MEAN_OF_MAPS
    targets = target.parts if apart else (target,)
    found = yield from relevance_steps(
        model, answer, targets, chosen, every_option, check=check, progress=progress
    )
    return assemble(answer, target, found, origin_of(model, answer, chosen.spec, every_option))


def relevancy_tensor(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    method: str = "chefer",
    progress: Progress | None = None,
    check: Check | None = None,
    **options: str,
) -> Float[np.ndarray, "tokens sequence"]:
    """Relevance of every position for every answer token; row i is `explain(token=i).row`.

    progress(done, total) counts tokens, or runs of the model where a method needs many of them;
    check may raise to stop.
    """
    return every_token(model, answer, method=method, progress=progress, check=check, **options).rows


def every_token(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    method: str = "chefer",
    progress: Progress | None = None,
    check: Check | None = None,
    **options: str,
) -> Relevance:
    """What the method found for every answer token, `relevancy_tensor` among it; no layers."""
    chosen = get(method)
    every_option = chosen.spec.option_values(options)
    targets = [token_target(answer, index) for index in range(len(answer.tokens))]
    return run_method(model, answer, targets, chosen, every_option, check=check, progress=progress)


def relevance_steps(
    model: VisionLanguageModel,
    answer: Answer,
    targets: Sequence[Target],
    method: Method,
    options: MethodOptions,
    *,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Generator[None, None, Relevance]:
    """What the method found for each target, and where the layers looked."""
    found = yield from method_steps(
        model, answer, targets, method, options, check=check, progress=progress
    )
    return replace(found, layers=layer_shares(model, answer, targets, check=check))


def layer_shares(
    model: VisionLanguageModel,
    answer: Answer,
    targets: Sequence[Target],
    *,
    check: Check | None = None,
) -> Float[np.ndarray, "targets layers"]:
    """Share of attention that predicting positions give to the images, per layer.

    A target of several tokens has their mean.
    """
    rows = [answer.tokens[index].position - 1 for one in targets for index in one.token_indices]
    with model.lock:
        replay = replay_answer(model, answer, check)
        every = image_attention_shares(replay, rows, answer.image_spans).numpy()
    ends = np.cumsum([len(one.token_indices) for one in targets])[:-1]
    means = [part.mean(0, dtype=np.float64) for part in np.split(every, ends)]
    return np.stack(means).astype(np.float32)


def origin_of(
    model: VisionLanguageModel, answer: Answer, spec: MethodSpec, options: MethodOptions
) -> Origin:
    """What everything that a method finds for this answer with these options has in common."""
    *earlier, current = answer.images
    provenance = Provenance(
        model_name=model.name,
        model_revision=model.revision,
        is_demo=model.is_demo,
        device=str(model.device),
        dtype=str(model.dtype).removeprefix("torch."),
        image_sha256=current.radiograph.sha256,
        prompt=answer.prompt,
        token_ids=tuple(answer.input_ids.tolist()),
        prompt_length=answer.prompt_length,
        image_span=current.span,
        method=spec.name,
        settings=options,
        versions=library_versions(),
        seconds=0.0,
        earlier_images=tuple(
            EarlierImage(image.radiograph.sha256, image.span, image.grid) for image in earlier
        ),
    )
    return Origin(provenance, spec.signed, spec.all_tokens_at_once)
