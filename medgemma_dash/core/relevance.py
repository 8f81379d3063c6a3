"""What a method found: one type from the method to the store and the screen."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


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
