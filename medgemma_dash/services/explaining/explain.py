"""Explain an answer's words."""

import platform
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from jaxtyping import Float

import medgemma_dash
from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import NoExplanationError, TargetError
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target
from medgemma_dash.methods import Method, get
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.models.image_attention import image_attention_shares
from medgemma_dash.services.explaining.rows import MEAN_OF_MAPS
from medgemma_dash.services.explaining.run import (
    Check,
    MethodSettings,
    Progress,
    run_method,
)
from medgemma_dash.services.explaining.targets import against_token, target_for


def explain(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    token: int | None = None,
    phrase: str | None = None,
    span: tuple[int, int] | None = None,
    against: str | None = None,
    method: str = "chefer",
    check: Check | None = None,
    progress: Progress | None = None,
    **settings: str,
) -> Explanation:
    """Why the model said a token, a phrase, a span (half-open), or the whole answer.

    against: explain one token rather than this one. settings: the method's own options.
    Raises TargetError, MethodError, or NoExplanationError when the method finds nothing.
    """
    contrast = None
    if against is not None:
        if token is None:
            raise TargetError("A contrast explains one token against another: give token as well.")
        contrast = against_token(model, answer, token, against)
    target = target_for(answer, token=token, phrase=phrase, span=span, against=contrast)
    return explain_target(
        model, answer, target, method=method, settings=settings, check=check, progress=progress
    )


def explain_target(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    *,
    method: str = "chefer",
    settings: dict[str, str] | None = None,
    check: Check | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain a target that is already known; see `explain`, and `run_method` for its seconds."""
    chosen = get(method)
    options = chosen.spec.settings(settings or {})
    if target.against is not None and not chosen.spec.contrastive:
        raise TargetError(
            f"{chosen.spec.title} cannot explain one token against another. Explain the word "
            "alone, or choose another method."
        )
    found = run_method(
        model, answer, units(target, options), chosen, options, check=check, progress=progress
    )
    layers = layer_shares(model, answer, target.token_indices, check=check)
    return assemble(model, answer, target, found, layers, chosen, options)


def relevancy_tensor(
    model: VisionLanguageModel,
    answer: Answer,
    *,
    method: str = "chefer",
    progress: Progress | None = None,
    check: Check | None = None,
    **settings: str,
) -> Float[np.ndarray, "tokens sequence"]:
    """Relevance of every position for every answer token; row i is `explain(token=i).row`.

    progress(done, total) counts tokens, or runs of the model where a method needs many of them;
    check may raise to stop.
    """
    chosen = get(method)
    options = chosen.spec.settings(settings)
    targets = [target_for(answer, token=index) for index in range(len(answer.tokens))]
    return relevance_rows(model, answer, targets, chosen, options, check=check, progress=progress)[
        0
    ]


def units(target: Target, options: MethodSettings) -> list[Target]:
    """What is computed for a target: its tokens one by one, or all in one summed backward pass."""
    if dict(options).get("words", MEAN_OF_MAPS) != MEAN_OF_MAPS:
        return [target]
    return [Target("token", (index,), "", target.against) for index in target.token_indices]


def relevance_rows(
    model: VisionLanguageModel,
    answer: Answer,
    targets: Sequence[Target],
    method: Method,
    options: MethodSettings,
    *,
    check: Check | None = None,
    progress: Progress | None = None,
) -> tuple[Float[np.ndarray, "targets sequence"], Float[np.ndarray, " targets"] | None]:
    """One relevance row per target; and each row's gap, for a method that promises completeness."""
    found = run_method(model, answer, targets, method, options, check=check, progress=progress)
    return found.rows, found.gaps


def layer_shares(
    model: VisionLanguageModel,
    answer: Answer,
    token_indices: Sequence[int],
    *,
    check: Check | None = None,
) -> Float[np.ndarray, "tokens layers"]:
    """Share of attention given to the image by each token's predicting position, per layer."""
    with model.lock:
        replay = replay_answer(model, answer, check)
        rows = [answer.tokens[index].position - 1 for index in token_indices]
        return image_attention_shares(replay, rows, answer.image_spans).numpy()


def assemble(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    found: Relevance,
    layers: Float[np.ndarray, "tokens layers"],
    method: Method,
    options: MethodSettings,
) -> Explanation:
    """The explanation made of what was found for a target's tokens: the means.

    Raises NoExplanationError when the mean row is empty or not finite.
    """
    row = found.rows.mean(0, dtype=np.float64).astype(np.float32)
    gaps, fine = found.gaps, found.fine[-1] if found.fine else None
    seconds = _seconds(method, found)
    if not np.isfinite(row).all():
        raise NoExplanationError(
            f"{method.spec.title} gave numbers that are not finite. Try float32, or another method."
        )
    if not row.any():
        raise NoExplanationError(
            f"{method.spec.title} found no relevance at all: nothing it measures is above zero "
            "for this target. Try another method, or a contrast with a runner-up."
        )
    start, stop = answer.image_span
    return Explanation(
        image=row[start:stop].reshape(answer.grid).copy(),
        row=row,
        layers=layers.mean(0, dtype=np.float64).astype(np.float32),
        method=method.spec.name,
        target=target,
        signed=method.spec.signed,
        provenance=_provenance(model, answer, method, options, seconds),
        completeness_gap=None if gaps is None else float(gaps.mean(dtype=np.float64)),
        radiograph=answer.radiograph,
        fine=None if fine is None else fine.mean(0, dtype=np.float64).astype(np.float32),
    )


def _seconds(method: Method, found: Relevance) -> float:
    """What the rows cost together."""
    if found.seconds is None:
        return 0.0
    together = found.seconds.max() if method.spec.all_tokens_at_once else found.seconds.sum()
    return float(together)


def _provenance(
    model: VisionLanguageModel,
    answer: Answer,
    method: Method,
    options: MethodSettings,
    seconds: float,
) -> Provenance:
    libraries = tuple((name, version(name)) for name in ("torch", "transformers", "numpy"))
    return Provenance(
        model_name=model.name,
        model_revision=model.revision,
        is_demo=model.is_demo,
        device=str(model.device),
        dtype=str(model.dtype).removeprefix("torch."),
        image_sha256=answer.radiograph.sha256,
        prompt=answer.prompt,
        token_ids=tuple(answer.input_ids.tolist()),
        prompt_length=answer.prompt_length,
        image_span=answer.image_span,
        method=method.spec.name,
        settings=options,
        versions=(
            ("medgemma_dash", medgemma_dash.__version__),
            ("python", platform.python_version()),
            *libraries,
        ),
        seconds=seconds,
    )
