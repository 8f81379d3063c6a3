"""What a method found: one type from the method to the store and the screen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True, eq=False)
class Relevance:
    """Relevance of every position of the sequence for some targets, in their order.

    rows: float32 (n, S); self-relevance removed, zero from the predicting position on.
    layers: float32 (n, L), the share of attention, mean over heads, that each target's predicting
        position gives to image tokens in each decoder layer; None as the method gives it.
    gaps: (n,), for a method that promises completeness: what a row sums to, less the difference
        in the logit that it should sum to; None for all others.
    fine: for a method that sees the vision tower's patches, their relevance before it was pooled
        to soft tokens, one array (n, rows, cols) an image; empty for all others.
    seconds: (n,), what each row cost; of a run that gives all tokens at once, the whole run's, for
        each of them. None as the method gives it.
    """

    rows: Float[np.ndarray, "targets sequence"]
    layers: Float[np.ndarray, "targets layers"] | None = None
    gaps: Float[np.ndarray, " targets"] | None = None
    fine: tuple[Float[np.ndarray, "targets patch_rows patch_cols"], ...] = ()
    seconds: Float[np.ndarray, " targets"] | None = None

    def of(self, places: Sequence[int]) -> "Relevance":
        """A copy of some of the targets' relevance, in the order given."""
        chosen = list(places)
        return Relevance(
            rows=self.rows[chosen],
            layers=None if self.layers is None else self.layers[chosen],
            gaps=None if self.gaps is None else self.gaps[chosen],
            fine=tuple(fine[chosen] for fine in self.fine),
            seconds=None if self.seconds is None else self.seconds[chosen],
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.arrays)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """All that is there, each with one entry a target, always in the same order."""
        single = (self.rows, self.layers, self.gaps, self.seconds)
        return (*(array for array in single if array is not None), *self.fine)


@dataclass(frozen=True, eq=False)
class KnownRelevance:
    """Relevance for every token of an answer, of which some are known; zero where none is.

    filled: bool (T,), which are known.
    """

    relevance: Relevance
    filled: Bool[np.ndarray, " tokens"]

    @property
    def relevancy(self) -> Float[np.ndarray, "targets sequence"]:
        """The rows, as `relevancy_tensor` has them."""
        return self.relevance.rows
