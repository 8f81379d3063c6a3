"""What was computed and may be wanted again, the most recent first, within a memory budget."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key; those used least recently go first when the budget is spent.

    size: bytes that a value holds now; asked anew each time, since values may grow.
    The newest value stays, however large. Not safe for several threads without a lock.
    """

    def __init__(self, budget_bytes: int, size: Callable[[Value], int]) -> None:
        self.budget_bytes = budget_bytes
        self._size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """The value, which is then the most recently used one; None when it is not kept."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def peek(self, key: Key) -> Value:
        """The value; which one was used last stays as it is. Raises KeyError when it is gone."""
        return self._values[key]

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value kept for `key`, or a new one from `make`, kept from now on."""
        value = self._values[key] if key in self._values else make()
        self.put(key, value)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Keep a value; evicts older ones, never the newest."""
        self._values[key] = value
        self._values.move_to_end(key)
        self.evict()

    def evict(self) -> None:
        """Forget what no longer fits; for those whose values have grown."""
        while len(self._values) > 1 and self.bytes > self.budget_bytes:
            self._values.popitem(last=False)

    @property
    def bytes(self) -> int:
        """Bytes held by all values."""
        return sum(self._size(value) for value in self._values.values())

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def keys(self) -> tuple[Key, ...]:
        """What is kept, the least recently used first."""
        return tuple(self._values)

    def forget(self, key: Key) -> None:
        """Let go of one value, if it is there."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()
