"""Tasks about questions and answers: asked, and its words explained, compared and timed.

Importing this module does not import torch: what the engine's worker runs is imported there.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.radiograph import Radiograph
from medgemma_dash.core.target import Target
from medgemma_dash.core.words import touched
from medgemma_dash.services.explaining.answer_cache import AnswerCache, AnswerKey
from medgemma_dash.services.explaining.method_seconds import MethodSeconds
from medgemma_dash.services.explaining.rows import ChosenOptions
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Known, Task

if TYPE_CHECKING:
    from medgemma_dash.models import VisionLanguageModel

MAX_NEW_TOKENS = 256
ASK, EXPLAIN, EXPLAIN_ALL, COMPARE, TIME = "ask", "explain", "fill", "compare", "timing"


def ask_task(
    radiograph: Radiograph,
    prompt: str,
    answers: AnswerCache,
    model: VisionLanguageModel | None = None,
    *,
    force: str | None = None,
    max_new_tokens: int = MAX_NEW_TOKENS,
) -> Task[Answer]:
    """Ask about a radiograph.

    answers: what was asked before is taken from there; the new answer is put there.
    model: the one that is loaded: what it said before is known at once.
    The job's events have `.index`, `.text` and `.probability`, one for each token.
    """

    def known_to(model: VisionLanguageModel) -> tuple[AnswerKey, Answer | None]:
        key = AnswerKey(
            image_sha256=(radiograph.sha256,),
            prompt=prompt,
            force=force,
            max_new_tokens=max_new_tokens,
            model_name=model.name,
            model_revision=model.revision,
            dtype=str(model.dtype),
            device=str(model.device),
        )
        return key, answers.get(key, (radiograph,))

    def work(current: CurrentModel, context: JobContext) -> Answer:
        from medgemma_dash.services.explaining.asking import ask

        model = current()
        key, known = known_to(model)
        if known is not None:
            for token in known.tokens:
                context.emit(token)
            return known
        answer = ask(
            model,
            radiograph,
            prompt,
            max_new_tokens=max_new_tokens,
            force=force,
            on_token=context.emit,
            check=context.check,
        )
        answers.put(key, answer)
        return answer

    said = None if model is None else known_to(model)[1]
    return Task(
        "Answering the question",
        ASK,
        work,
        known=None if said is None else Known(said, said.tokens),
    )


def explain_task(
    store: RelevanceStore,
    target: Target,
    method: str = "chefer",
    options: ChosenOptions = (),
) -> Task[Explanation]:
    """Explain a target, from the store as far as it is known.

    Several words are explained one after the other, and other sessions' clicks go between.
    """

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, Explanation]:
        from medgemma_dash.services.explaining.steps import explain_steps

        return explain_steps(current, store, target, method, options, context)

    words = len(touched(store.answer.units, target.token_indices))
    label = "Explaining a word" if words == 1 else f"Explaining {words} words"
    found = store.explanation(target, method, options)
    known = None if found is None else Known(found)
    return Task(label, EXPLAIN, work, in_steps=True, known=known)


def explain_all_task(
    store: RelevanceStore, method: str = "chefer", options: ChosenOptions = ()
) -> Task[None]:
    """Fill the store with every token's row, in the background, letting every click go first.

    The job's events are the indices of the tokens as they become known.
    """

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, None]:
        from medgemma_dash.services.explaining.steps import fill_steps

        answer = store.answer
        every = range(len(answer.tokens))
        return fill_steps(current, store, every, method, options, context, answer.units)

    return Task("Explaining every word", EXPLAIN_ALL, work, in_steps=True, background=True)


def compare_task(
    store: RelevanceStore,
    target: Target,
    methods: Sequence[tuple[str, tuple[tuple[str, str], ...]]],
    seconds: MethodSeconds,
) -> Task[None]:
    """Explain a target by several methods, the quick ones first, letting every click go between.

    seconds: told what the target cost by each method, and tells which are quick.
    The job's events are `MethodOutcome`s, one for each method as it ends.
    """

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, None]:
        from medgemma_dash.methods import get
        from medgemma_dash.services.explaining.steps import compare_steps

        expected = seconds.expected({name: get(name).spec.passes for name, _ in methods})
        quick_first = sorted(methods, key=lambda choice: expected[choice[0]])
        return compare_steps(current, store, target, quick_first, context, seconds.note)

    return Task("Comparing methods", COMPARE, work, in_steps=True)


def timing_task(answer: Answer, target: Target, seconds: MethodSeconds) -> Task[None]:
    """Run every method on a target, known or not, so that `seconds` says what each costs.

    The job's events are `MethodOutcome`s.
    """

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, None]:
        from medgemma_dash.methods import available
        from medgemma_dash.services.explaining.steps import compare_steps

        # A store of its own: what is known already would cost nothing.
        store = RelevanceStore(answer)
        methods = [(spec.name, ()) for spec in available()]
        return compare_steps(current, store, target, methods, context, seconds.note)

    return Task("Timing every method", TIME, work, in_steps=True)
