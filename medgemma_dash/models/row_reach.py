"""What an attention mask lets each query row see, in a few numbers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True)
class RowReach:
    """Of each row the first key that it sees, the one behind its last, and how many it sees.

    On the processor, so that dividing rows into blocks asks nothing of a GPU.
    """

    first: Int[np.ndarray, " sequence"]
    stop: Int[np.ndarray, " sequence"]
    seen: Int[np.ndarray, " sequence"]


def row_reach(allowed: Bool[Tensor, "sequence sequence"]) -> RowReach:
    """Summarise a mask; every row sees a key."""
    visible = allowed.cpu().numpy()
    return RowReach(
        first=visible.argmax(1),
        stop=visible.shape[1] - visible[:, ::-1].argmax(1),
        seen=visible.sum(1),
    )
