"""Target words as a task. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.record import Record
from medgemma_dash.services.runtime.job import JobContext
from medgemma_dash.services.runtime.task import CurrentModel, Task

WORDS = "words"


def words_task(
    answer: Answer,
    words: Sequence[str],
    places: Sequence[str] = ("answer",),
    method: str = "chefer",
    options: Mapping[str, str] | None = None,
    forced_after: int | None = None,
) -> Task[Record]:
    """Maps of chosen words; other sessions' clicks go between two of them."""

    def work(current: CurrentModel, context: JobContext) -> Generator[object, None, Record]:
        from medgemma_dash.services.words.run import words_plan, words_steps

        plan = words_plan(answer, words, places, method, options, forced_after)
        return words_steps(current, answer, plan, context.check, context.progress)

    return Task("Looking for the words in the image", WORDS, work, in_steps=True)
