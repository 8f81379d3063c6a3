"""Rows of an answer's relevancy tensor, and what several of them make together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from jaxtyping import Bool, Float

from medgemma_dash.core.explanation import Provenance
from medgemma_dash.core.target import Target

MethodSettings = Mapping[str, object] | Iterable[tuple[str, object]]

# The value of a method's "words" option under which several words are the mean of their maps.
MEAN_OF_MAPS = "mean of maps"


@dataclass(frozen=True, eq=False)
class RelevanceTensor:
    """relevancy: float32 (T, S), zero rows where nothing is known. filled: bool (T,)."""

    relevancy: Float[np.ndarray, "tokens positions"]
    filled: Bool[np.ndarray, " tokens"]


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Rows of some tokens: relevance (n, S) and layer shares (n, L), both float32.

    provenance: of any of them; None when every row is empty, so that nothing can be shown.
    gaps: each row's completeness gap, for a method that promises completeness.
    seconds: what each row cost, its share of the time that the batch took.
    at_once: the rows came from a run that gives all tokens for the price of one; `seconds` is then
        the whole run's, for each of them.
    """

    token_indices: tuple[int, ...]
    rows: Float[np.ndarray, "tokens positions"]
    layers: Float[np.ndarray, "tokens layers"]
    signed: bool
    provenance: Provenance | None
    gaps: Float[np.ndarray, " tokens"] | None = None
    seconds: float = 0.0
    at_once: bool = False


def is_assembled(target: Target, settings: MethodSettings = ()) -> bool:
    """Whether the target's explanation is the mean of its tokens' rows, or a single row."""
    if target.against is not None:
        return False
    several_words = dict(settings).get("words", MEAN_OF_MAPS)
    return len(target.token_indices) == 1 or several_words == MEAN_OF_MAPS


def mean_row(rows: Float[np.ndarray, "tokens entries"]) -> npt.NDArray[np.float32]:
    """The mean of the tokens' rows, summed in float64: a span's relevance by definition."""
    mean: npt.NDArray[np.float32] = rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean
