"""Jobs about an answer that was given: its words explained, compared, tested, taken apart.

Importing this module does not import torch: what the engine's worker runs is imported by then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Sequence
from statistics import median
from typing import TYPE_CHECKING

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.explanation import Against, Explanation, Target
from medgemma_dash.core.words import touched
from medgemma_dash.services.explaining.rows import MethodSettings
from medgemma_dash.services.explaining.store import RelevanceStore
from medgemma_dash.services.runtime.engine import Engine
from medgemma_dash.services.runtime.job import Job, JobContext

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from medgemma_dash.metrics.faithfulness import FaithfulnessTable
    from medgemma_dash.models import VisionLanguageModel
    from medgemma_dash.services.layers.view import LayerView

SECONDS_KEPT = 20


class ExplanationJobs(ABC):
    """Makes jobs of what sessions want to know about an answer.

    `model` is what the jobs compute on when they run; a subclass says which it is.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._seconds: dict[str, deque[float]] = {}

    @property
    @abstractmethod
    def model(self) -> VisionLanguageModel:
        """The model; raises ModelError when it is not ready."""

    def seconds_of(self, method: str) -> float | None:
        """Median of what a target cost lately by this method on this machine; None if unknown."""
        known = self._seconds.get(method)
        return median(known) if known else None

    def _note_seconds(self, method: str, seconds: float) -> None:
        self._seconds.setdefault(method, deque(maxlen=SECONDS_KEPT)).append(seconds)

    def explain_job(
        self,
        owner: str,
        store: RelevanceStore,
        target: Target,
        method: str = "chefer",
        settings: MethodSettings = (),
        *,
        against: Against | None = None,
    ) -> Job[Explanation]:
        """Explain a target, from the store as far as it is known; the newest click wins.

        against: takes the place of `target.against`.
        Several words are explained one after the other, and other sessions' clicks go between.
        """
        if against is not None:
            target = Target(target.kind, target.token_indices, target.text, against)
        words = len(touched(store.answer.units, target.token_indices))
        label = "Explaining a word" if words == 1 else f"Explaining {words} words"
        known = store.explanation(target, method, settings)
        if known is not None:
            return self.engine.finished(known, owner=owner, label=label, supersedes="explain")

        def work(context: JobContext) -> Generator[None, None, Explanation]:
            from medgemma_dash.services.explaining.steps import explain_steps

            return explain_steps(self._current, store, target, method, settings, context)

        return self.engine.submit_steps(work, owner=owner, label=label, supersedes="explain")

    def explain_all_job(
        self,
        owner: str,
        store: RelevanceStore,
        method: str = "chefer",
        settings: MethodSettings = (),
    ) -> Job[None]:
        """Fill the store with every token's row, in the background, letting every click go first.

        The job's events are the indices of the tokens as they become known.
        """

        def work(context: JobContext) -> Generator[None, None, None]:
            from medgemma_dash.services.explaining.steps import fill_steps

            every = range(len(store.answer.tokens))
            return fill_steps(self._current, store, every, method, settings, context)

        return self.engine.submit_steps(
            work,
            owner=owner,
            label="Explaining every word",
            supersedes="explain all",
            background=True,
        )

    def compare_job(
        self,
        owner: str,
        store: RelevanceStore,
        target: Target,
        methods: Sequence[tuple[str, tuple[tuple[str, str], ...]]],
    ) -> Job[None]:
        """Explain a target by several methods, letting every click go between.

        The job's events are `MethodOutcome`s, one for each method, in order.
        """

        def work(context: JobContext) -> Generator[None, None, None]:
            from medgemma_dash.services.explaining.steps import compare_steps

            return compare_steps(self._current, store, target, methods, context, self._note_seconds)

        return self.engine.submit_steps(
            work, owner=owner, label="Comparing methods", supersedes="compare"
        )

    def timing_job(self, owner: str, answer: Answer, target: Target) -> Job[None]:
        """Run every method on a target, known or not, so that `seconds_of` knows what each costs.

        The job's events are `MethodOutcome`s.
        """

        def work(context: JobContext) -> Generator[None, None, None]:
            from medgemma_dash.methods import available
            from medgemma_dash.services.explaining.steps import compare_steps

            # A store of its own: what is known already would cost nothing.
            store = RelevanceStore(answer)
            methods = [(spec.name, ()) for spec in available()]
            return compare_steps(self._current, store, target, methods, context, self._note_seconds)

        return self.engine.submit_steps(
            work, owner=owner, label="Timing every method", supersedes="time"
        )

    def layers_job(self, owner: str, answer: Answer, target: Target) -> Job[LayerView]:
        """See what every layer and head did at the target; the newest choice wins."""

        def work(context: JobContext) -> Generator[None, None, LayerView]:
            from medgemma_dash.services.layers.view import view_steps

            return view_steps(self._current, answer, target, context.check, context.progress)

        return self.engine.submit_steps(
            work, owner=owner, label="Looking into the layers", supersedes="layers"
        )

    def attention_job(
        self, owner: str, answer: Answer, position: int
    ) -> Job[npt.NDArray[np.float32]]:
        """Attention of one position to every other, (L, H, S); the newest choice wins."""

        def work(context: JobContext) -> npt.NDArray[np.float32]:
            from medgemma_dash.services.layers.view import attention_of

            return attention_of(self.model, answer, position, context.check)

        return self.engine.submit(
            work, owner=owner, label="Reading attention", supersedes="attention"
        )

    def faithfulness_job(
        self,
        owner: str,
        answer: Answer,
        target: Target,
        images: Sequence[npt.NDArray[np.float32]],
    ) -> Job[FaithfulnessTable]:
        """Remove what each map marks, and see what the target's probability loses.

        A contrastive target is tested by its own token: a probability has no runner-up.
        Clicks go between the batches.
        """

        def work(context: JobContext) -> Generator[None, None, FaithfulnessTable]:
            from medgemma_dash.services.faithfulness.scoring import faithfulness_steps

            return faithfulness_steps(
                self._current, answer, target, images, context.check, context.progress
            )

        return self.engine.submit_steps(
            work, owner=owner, label="Testing the maps", supersedes="test"
        )

    def _current(self) -> VisionLanguageModel:
        return self.model
