"""Computes what a relevance store does not know yet. Imports torch; runs on the engine's worker."""

from collections.abc import Generator, Sequence

from medgemma_dash.core.errors import ModelError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.progress import Check, Progress
from medgemma_dash.core.target import Target
from medgemma_dash.methods import get
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.models.answer_replay import replay_answer
from medgemma_dash.services.explaining.explain import origin_of, relevance_steps, target_steps
from medgemma_dash.services.explaining.rows import ChosenOptions, assemble, is_assembled
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.explaining.targets import token_target

# A click of another session waits for one batch at most; a processor is the slower one.
MOST_AT_ONCE = 8
MOST_AT_ONCE_ON_PROCESSORS = 4


def batch_size(model: VisionLanguageModel, store: RelevanceStore, method: str, check: Check) -> int:
    """How many tokens share one step: as many as suit the device, within what a click may wait."""
    check_model(model, store)
    if get(method).spec.all_tokens_at_once:
        return len(store.answer.tokens)
    most = MOST_AT_ONCE_ON_PROCESSORS if model.device.type == "cpu" else MOST_AT_ONCE
    with model.lock:
        return min(most, replay_answer(model, store.answer, check).targets_at_once)


def fill_rows(
    model: VisionLanguageModel,
    store: RelevanceStore,
    token_indices: Sequence[int],
    method: str,
    options: ChosenOptions,
    check: Check,
    progress: Progress | None = None,
) -> Generator[None, None, None]:
    """Compute these tokens' rows in one batch and put them into the store; see `method_steps`."""
    check_model(model, store)
    chosen = get(method)
    every_option = chosen.spec.option_values(_texts(options))
    targets = [token_target(store.answer, index) for index in token_indices]
    found = yield from relevance_steps(
        model, store.answer, targets, chosen, every_option, check=check, progress=progress
    )
    origin = origin_of(model, store.answer, chosen.spec, every_option)
    store.fill(token_indices, found, origin, options)


def explain_whole(
    model: VisionLanguageModel,
    store: RelevanceStore,
    target: Target,
    method: str,
    options: ChosenOptions,
    check: Check,
    progress: Progress | None = None,
) -> Generator[None, None, Explanation]:
    """Explain a target in one go and put the result into the store.

    A method that gives all tokens at once fills the whole tensor. See `method_steps`.
    """
    check_model(model, store)
    if get(method).spec.all_tokens_at_once and is_assembled(target, options):
        every = range(len(store.answer.tokens))
        yield from fill_rows(model, store, every, method, options, check, progress)
        if (known := store.find(target, method, options)) is not None:
            return assemble(store.answer, target, *known)
    explanation = yield from target_steps(
        model,
        store.answer,
        target,
        method=method,
        options=_texts(options),
        check=check,
        progress=progress,
    )
    store.add(explanation, options)
    return explanation


def check_model(model: VisionLanguageModel, store: RelevanceStore) -> None:
    """Raise ModelError when another model gave the answer: its words cannot be explained here."""
    answer = store.answer
    if (answer.model_name, answer.model_revision) != (model.name, model.revision):
        raise ModelError(
            "This answer came from another model than the one that is loaded now. "
            "Ask the question again."
        )


def _texts(options: ChosenOptions) -> dict[str, str]:
    return {name: str(value) for name, value in dict(options).items()}
