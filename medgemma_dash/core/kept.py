"""Open answers' replays, the most recent first, within a memory budget."""

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medgemma_dash.models.replay import Replay


class ReplayCache:
    """Keeps replays by answer key; the least recently used go first when the budget is spent.

    A replay whose graph alone exceeds the budget is built without one: it recomputes each
    layer during the backward pass instead.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self._replays: OrderedDict[str, Replay] = OrderedDict()

    def get(self, key: str, build: "Callable[[], Replay]") -> "Replay":
        """The kept replay for `key`, or a new one from `build`."""
        replay = self._replays.pop(key, None)
        if replay is None:
            replay = build()
        self.put(key, replay)
        return replay

    def put(self, key: str, replay: "Replay") -> None:
        """Keep a replay; evicts older ones, never the newest."""
        self._replays.pop(key, None)
        self._replays[key] = replay
        while len(self._replays) > 1 and self.bytes > self.budget_bytes:
            self._replays.popitem(last=False)

    @property
    def bytes(self) -> int:
        """Bytes held by all kept replays."""
        return sum(replay.bytes for replay in self._replays.values())

    def __len__(self) -> int:
        return len(self._replays)

    def clear(self) -> None:
        """Forget every replay."""
        self._replays.clear()
