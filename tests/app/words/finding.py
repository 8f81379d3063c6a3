"""In the place of looking for words: each leans on its own row of patches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import MedGemmaDashError
from medgemma_dash.core.record import Record, RecordProvenance
from medgemma_dash.core.target import Target
from medgemma_dash.services.words import run
from medgemma_dash.services.words.plan import CHAIN, FALLBACKS, Attempt, WordsPlan
from medgemma_dash.services.words.sequences import Said
from medgemma_dash.services.words.sightings import Sighting, sightings
from tests.app.opened import PATIENCE_SECONDS

NATS = -0.1
UNLIKELY_NATS = -9.0


@dataclass(eq=False)
class Finding:
    """What was looked for, and what becomes of it.

    gate: each look waits for it. failure: ends a look. mapless: words of which there is no map.
    """

    gate: Any
    explanation: Callable[[Answer, Target, str], Any]
    plans: list[WordsPlan] = field(default_factory=list)
    failure: MedGemmaDashError | None = None
    mapless: tuple[str, ...] = ()
    _news: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, looks: int) -> None:
        """Until so many have begun."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.plans) >= looks, PATIENCE_SECONDS)

    def words_steps(
        self, current: Any, answer: Answer, plan: WordsPlan, check: Callable[[], None], *_: Any
    ) -> Iterator[None]:
        with self._news:
            self.plans.append(plan)
            self._news.notify_all()
        self.gate.pass_through(check)
        if self.failure is not None:
            raise self.failure
        return self.record(answer, plan)
        yield

    def record(self, answer: Answer, plan: WordsPlan) -> Record:
        seen = [self._seen(answer, plan, one) for one in sightings(answer, plan.words, plan.places)]
        tables, maps = run._tables(answer, seen)
        images = tuple(image.radiograph.sha256 for image in answer.images)
        made_by = RecordProvenance("fake", "1", True, "cpu", "float32", images, (), 0.1)
        return Record("words", asdict(plan), tables, made_by, maps)

    def _seen(self, answer: Answer, plan: WordsPlan, one: Sighting) -> Any:
        alone = Attempt(plan.method, plan.method, plan.options)
        ladder = FALLBACKS if plan.method == CHAIN else (alone,)
        target, nats = Target("token", (0,), one.word), UNLIKELY_NATS
        preceding = answer.text[:10]
        if one.span is not None:
            start, stop = one.span
            if one.place == "prompt":
                target = Target("token", (0,), "".join(answer.piece_texts[start:stop]))
                question = len(answer.input_ids) - len(answer.tokens) - len(answer.prompt.split())
                preceding = "".join(answer.piece_texts[question:start])
            else:
                tokens = answer.tokens[start:stop]
                target = Target("token", tuple(range(start, stop)), "".join(t.text for t in tokens))
                preceding = "".join(token.text for token in answer.tokens[:start])
            nats = NATS
        said = Said(answer, target, *(one.span or (3, 4)), preceding, nats)
        if one.word in self.mapless:
            tried = tuple(run._Tried(attempt, "It found nothing.") for attempt in ladder)
            return run._Seen(one, said, None, tried)
        tried = (*(run._Tried(a, "The word is a single token.") for a in ladder[:-1]),)
        explained = self.explanation(answer, target, ladder[-1].method)
        # One cell stands out, so that clipping has something to take down.
        image = explained.image.copy()
        image[target.token_indices[0], 7] = np.float32(0.09)
        explained = replace(explained, images=(image,))
        return run._Seen(one, said, explained, (*tried, run._Tried(ladder[-1], "")))
