"""Explain an answer's words."""

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from jaxtyping import Float

import medgemma_dash
from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import NoExplanationError, TargetError
from medgemma_dash.core.explanation import Explanation, Provenance, Target
from medgemma_dash.methods import Method, get
from medgemma_dash.methods.specification import Watcher
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.generation import replay_answer
from medgemma_dash.models.image_attention import image_attention_shares
from medgemma_dash.services.relevance_store import MEAN_OF_MAPS
from medgemma_dash.services.targets import against_token, target_for

Check = Callable[[], None]
Progress = Callable[[int, int], None]
MethodSettings = tuple[tuple[str, str], ...]


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
    """Explain a target that is already known; see `explain`. For its seconds see `timed_rows`."""
    chosen = get(method)
    options = chosen.spec.settings(settings or {})
    if target.against is not None and not chosen.spec.contrastive:
        raise TargetError(
            f"{chosen.spec.title} cannot explain one token against another. Explain the word "
            "alone, or choose another method."
        )
    rows, gaps, seconds = timed_rows(
        model, answer, units(target, options), chosen, options, check=check, progress=progress
    )
    layers = layer_shares(model, answer, target.token_indices, check=check)
    return assemble(model, answer, target, rows, layers, chosen, options, seconds, gaps)


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

    progress(done, total) is called as tokens are finished, and by a method that runs the model
    many times as its runs are, which are then what is counted; check may raise to stop.
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
    """One relevance row per target, computed in batches of the size that suits the device.

    progress: see `relevancy_tensor`. The second part is each row's completeness gap, for a method
    that promises completeness.
    """
    found = np.zeros((len(targets), len(answer.input_ids)), np.float32)
    gaps: list[float] = []
    with model.lock:
        replay = replay_answer(model, answer, check)
        step = len(targets) if method.spec.all_tokens_at_once else replay.targets_at_once
        starts = range(0, len(targets), step)
        for place, start in enumerate(starts):
            batch = targets[start : start + step]
            listener = None if progress is None else _Listener(progress, place, len(starts))
            watched = check if listener is None else Watcher(check, listener)
            rows = method.rows(replay, answer, batch, options, watched)
            found[start : start + step] = rows.relevance.numpy()
            gaps += rows.gaps or ()
            if listener is not None and not listener.told:
                listener.progress(start + len(batch), len(targets))
    return found, np.array(gaps, np.float32) if gaps else None


def timed_rows(
    model: VisionLanguageModel,
    answer: Answer,
    targets: Sequence[Target],
    method: Method,
    options: MethodSettings,
    *,
    check: Check | None = None,
    progress: Progress | None = None,
) -> tuple[Float[np.ndarray, "targets sequence"], Float[np.ndarray, " targets"] | None, float]:
    """As `relevance_rows`, with the seconds of the method's own work for these targets.

    What every method shares is not in them: the replay, which is built once for an answer, the
    layers' shares, and waiting for other sessions. A method that gives all tokens at once takes its
    whole run for any of them.
    """
    with model.lock:
        replay_answer(model, answer, check)
        began = time.perf_counter()
        rows, gaps = relevance_rows(
            model, answer, targets, method, options, check=check, progress=progress
        )
        return rows, gaps, time.perf_counter() - began


@dataclass
class _Listener:
    """Hears how far a method is with one batch, and says how far that is of all batches.

    told: whether the method said anything; most leave it to be counted in tokens.
    """

    progress: Progress
    place: int
    batches: int
    told: bool = False

    def __call__(self, done: int, runs: int) -> None:
        self.told = True
        self.progress(self.place * runs + done, self.batches * runs)


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
        return image_attention_shares(replay, rows, answer.image_span).numpy()


def assemble(
    model: VisionLanguageModel,
    answer: Answer,
    target: Target,
    rows: Float[np.ndarray, "units sequence"],
    layers: Float[np.ndarray, "tokens layers"],
    method: Method,
    options: MethodSettings,
    seconds: float,
    gaps: Float[np.ndarray, " units"] | None = None,
) -> Explanation:
    """The explanation made of its tokens' rows, layer shares and gaps: their means.

    Raises NoExplanationError when the mean row is empty or not finite.
    """
    row = rows.mean(0, dtype=np.float64).astype(np.float32)
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
    )


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
