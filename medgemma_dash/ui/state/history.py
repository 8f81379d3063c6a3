"""What was asked about one film, for as long as it is open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from medgemma_dash.core.kept import Kept
from medgemma_dash.services.explaining.answer_cache import TOKEN_BYTES

if TYPE_CHECKING:
    from medgemma_dash.ui.state.study import Answered

HISTORY_BYTES = 128 << 20


class History:
    """The answers about one film, each with what is known and chosen about it.

    When the budget is spent, those looked at least recently are let go; `dropped` counts them.
    """

    def __init__(self, budget_bytes: int = HISTORY_BYTES) -> None:
        self._kept: Kept[str, Answered] = Kept(budget_bytes, _bytes_of)
        self._asked: dict[str, None] = {}
        self.dropped = 0

    def add(self, answered: Answered) -> None:
        """Keep the newest answer, in the place of an equal one."""
        key = answered.answer.key
        self._asked.pop(key, None)
        self._asked[key] = None
        self._kept.put(key, answered)
        self._count()

    def find(self, key: str) -> Answered | None:
        """The answer with this key, which is then the one looked at last."""
        return self._kept.get(key)

    def asked(self, question: str) -> Answered | None:
        """The newest answer to this question."""
        return next((one for one in self if one.answer.prompt == question), None)

    def evict(self) -> None:
        """Let go of what no longer fits, now that more is known about some."""
        self._kept.evict()
        self._count()

    def _count(self) -> None:
        gone = [key for key in self._asked if key not in self._kept]
        self.dropped += len(gone)
        for key in gone:
            del self._asked[key]

    def __iter__(self) -> Iterator[Answered]:
        """The newest first."""
        return iter([self._kept.peek(key) for key in reversed(self._asked)])

    def __len__(self) -> int:
        return len(self._asked)


def _bytes_of(answered: Answered) -> int:
    answer = answered.answer
    return answered.store.bytes + answer.input_ids.nbytes + len(answer.tokens) * TOKEN_BYTES
