"""What an attention mask lets each query row see, worked out once for all layers and clicks."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class RowsView:
    """What some rows that follow each other see together.

    keys: from the first key that one of them sees to the last.
    bias: 0 where a row may look, else minus infinity; None if each row sees all of these keys.
    """

    keys: slice
    bias: Float[Tensor, "rows keys"] | None


@dataclass(frozen=True, eq=False)
class AttentionMask:
    """Which keys (columns) each query row may look at; every row sees a key."""

    allowed: Bool[Tensor, "sequence sequence"]
    _views: dict[tuple[int, int], RowsView] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def causal(cls, sequence: int, device: torch.device) -> "AttentionMask":
        """Each row sees itself and what stands before it."""
        everything = torch.ones(sequence, sequence, dtype=torch.bool, device=device)
        return cls(everything.tril_())

    def seen_by(self, rows: slice) -> RowsView:
        """See `RowsView`; found once for all layers and clicks, and kept."""
        place = (rows.start, rows.stop)
        if place not in self._views:
            first, stop, seen = (numbers[rows] for numbers in self._reach)
            keys = slice(int(first.min()), int(stop.max()))
            whole = bool((seen == keys.stop - keys.start).all())
            self._views[place] = RowsView(keys, None if whole else self._bias[rows, keys])
        return self._views[place]

    @cached_property
    def _bias(self) -> Float[Tensor, "sequence sequence"]:
        # Adding it takes a fifth of the time of filling masked places.
        zeros = torch.zeros(self.allowed.shape, device=self.allowed.device)
        return zeros.masked_fill_(~self.allowed, -torch.inf)

    @cached_property
    def _reach(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # Of each row the first key that it sees, the one behind its last, and how many it sees;
        # on the processor, so that dividing rows into blocks asks nothing of a GPU.
        visible = self.allowed.cpu().numpy()
        behind_last = visible.shape[1] - visible[:, ::-1].argmax(1)
        return visible.argmax(1), behind_last, visible.sum(1)
