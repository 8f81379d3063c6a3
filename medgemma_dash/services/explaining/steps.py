"""What the engine's worker does for an explanation, in steps between which others get a turn.

Imports torch: a task imports it when it runs. `current` gives the model anew in each step, since
it may be loaded again in between.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Protocol

from medgemma_dash.core.errors import (
    CancelledError,
    MedGemmaDashError,
    NoExplanationError,
    OutOfMemoryError,
)
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.target import Target
from medgemma_dash.core.words import Range, touched
from medgemma_dash.methods import get
from medgemma_dash.services.explaining import filling
from medgemma_dash.services.explaining.rows import ChosenOptions, assemble, is_assembled
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.runtime.failures import plain_error
from medgemma_dash.services.runtime.task import CurrentModel


class Reports(Protocol):
    """Where work says how far it is, and learns that it must stop; a `JobContext` is one."""

    def check(self) -> None:
        """Raise CancelledError when the work must stop."""

    def progress(self, done: int, total: int) -> None:
        """Say how much is done."""

    def note(self, words: str) -> None:
        """Say what is being done just now."""

    def emit(self, value: object) -> None:
        """Publish a partial value."""


@dataclass(frozen=True)
class MethodOutcome:
    """What a method found for a target: an explanation, or the reason why there is none.

    lasting: whether the reason lies in method and target, so that asking again is idle.
    """

    method: str
    options: tuple[tuple[str, str], ...]
    explanation: Explanation | None
    reason: str = ""
    lasting: bool = False


@dataclass(frozen=True)
class _Part:
    """What a part of a job is given: it can be stopped, but its rows are not the job's events,
    and its progress no more than a note.
    """

    whole: Reports
    name: str

    def check(self) -> None:
        self.whole.check()

    def progress(self, done: int, total: int) -> None:
        self.whole.note(f"{self.name}, {done} of {total}")

    def note(self, words: str) -> None:
        self.whole.note(f"{self.name}, {words}")

    def emit(self, value: object) -> None:
        """The job's events are the parts' outcomes."""


def fill_steps(
    current: CurrentModel,
    store: RelevanceStore,
    token_indices: Sequence[int],
    method: str,
    options: ChosenOptions,
    context: Reports,
    words: Sequence[Range] | None = None,
) -> Generator[None, None, None]:
    """Compute the rows that the store lacks, and yield before each batch but the first.

    Progress counts tokens, or these words of them; where one batch serves all, what its method
    counts.
    """
    counted = words or [(index, index + 1) for index in token_indices]

    def say_known(lacking: Sequence[int]) -> None:
        known = len(counted) - len(touched(counted, lacking))
        context.progress(known, len(counted))

    while missing := store.missing(token_indices, method, options):
        # Asked again in each step: clicks fill the store too, and the model may be reloaded.
        size = filling.batch_size(current(), store, method, context.check)
        batch = missing[:size]
        say_known(missing)
        watch = context.progress if len(batch) == len(token_indices) else None
        yield from filling.fill_rows(current(), store, batch, method, options, context.check, watch)
        for index in batch:
            context.emit(index)
        say_known(missing[size:])
        if len(missing) > size:
            yield


def explain_steps(
    current: CurrentModel,
    store: RelevanceStore,
    target: Target,
    method: str,
    options: ChosenOptions,
    context: Reports,
) -> Generator[None, None, Explanation]:
    """Explain a target, from the store as far as it is known.

    Raises NoExplanationError, with the reason, when the method finds nothing.
    """
    if is_assembled(target, options) and len(target.token_indices) > 1:
        yield from fill_steps(current, store, target.token_indices, method, options, context)
    known = store.find(target, method, options)
    if known is not None:
        return assemble(store.answer, target, *known)
    explanation = yield from filling.explain_whole(
        current(), store, target, method, options, context.check, context.progress
    )
    return explanation


def compare_steps(
    current: CurrentModel,
    store: RelevanceStore,
    target: Target,
    methods: Sequence[tuple[str, tuple[tuple[str, str], ...]]],
    context: Reports,
    note_seconds: Callable[[str, float], None] = lambda _method, _seconds: None,
) -> Generator[None, None, None]:
    """Explain a target by each method in turn; emits one MethodOutcome each.

    note_seconds is told what the target cost by each method that was run in its default form.
    Progress counts methods, and a note says how far the one at work is. A method that fails
    gives its reason, and the next one runs.
    """
    for place, (method, options) in enumerate(methods):
        name = get(method).spec.title
        context.progress(place, len(methods))
        context.note(name)
        error: MedGemmaDashError | None = None
        try:
            explanation = yield from explain_steps(
                current, store, target, method, options, _Part(context, name)
            )
        except CancelledError:
            raise
        except Exception as raised:
            error = plain_error(raised, f"Explaining by {method}")
        if error is None:
            context.emit(MethodOutcome(method, options, explanation))
            if not options:
                note_seconds(method, explanation.provenance.seconds)
        else:
            # Outside of the handler: while it ran, the frames of what failed held their tensors.
            if isinstance(error, OutOfMemoryError):
                current().drop_caches()
            lasting = isinstance(error, NoExplanationError)
            context.emit(MethodOutcome(method, options, None, str(error), lasting))
        context.progress(place + 1, len(methods))
        yield
