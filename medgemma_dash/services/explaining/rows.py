"""What the rows of a target's tokens make together: its explanation. No model is needed for it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import NoExplanationError
from medgemma_dash.core.explanation import Explanation, Provenance
from medgemma_dash.core.relevance import Relevance
from medgemma_dash.core.target import Target

ChosenOptions = Mapping[str, object] | Iterable[tuple[str, object]]

# The value of a method's "words" option under which several words are the mean of their maps.
MEAN_OF_MAPS = "mean of maps"


@dataclass(frozen=True)
class Origin:
    """What all relevance that a method found for an answer with the same options has in common.

    provenance: its seconds are each explanation's own.
    at_once: one run gave all tokens, and is what each of them cost.
    """

    provenance: Provenance
    signed: bool
    at_once: bool = False


def is_assembled(target: Target, options: ChosenOptions = ()) -> bool:
    """Whether the target's explanation is the mean of its tokens' rows, or a single row."""
    if target.contrastive:
        return False
    several_words = dict(options).get("words", MEAN_OF_MAPS)
    return len(target.token_indices) == 1 or several_words == MEAN_OF_MAPS


def assemble(answer: Answer, target: Target, relevance: Relevance, origin: Origin) -> Explanation:
    """The explanation made of what was found for a target's parts: means, summed in float64.

    It costs what its parts cost together; where one run gave all of them, that run.
    Raises NoExplanationError, with the reason, when the mean row is empty or not finite.
    """
    if relevance.layers is None or relevance.seconds is None:
        raise ValueError("An explanation tells of layers and seconds too.")
    row, method = _mean(relevance.rows), origin.provenance.method
    if not np.isfinite(row).all():
        raise NoExplanationError(
            f"{_title(method)} gave numbers that are not finite. Try float32, or another method."
        )
    if not row.any():
        raise NoExplanationError(
            f"{_title(method)} found no relevance at all: nothing it measures is above zero "
            "for this target. Try another method, or a contrast with a runner-up."
        )
    seconds = relevance.seconds.max() if origin.at_once else relevance.seconds.sum()
    gaps = relevance.gaps
    return Explanation(
        images=tuple(row[slice(*image.span)].reshape(image.grid).copy() for image in answer.images),
        row=row,
        layers=_mean(relevance.layers),
        method=method,
        target=target,
        signed=origin.signed,
        provenance=replace(origin.provenance, seconds=float(seconds)),
        completeness_gap=None if gaps is None else float(gaps.mean(dtype=np.float64)),
        radiographs=tuple(image.radiograph for image in answer.images),
        fine_images=tuple(_mean(fine) for fine in relevance.fine),
    )


def _mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    mean: npt.NDArray[np.float32] = values.mean(0, dtype=np.float64).astype(np.float32)
    return mean


def _title(method: str) -> str:
    from medgemma_dash.methods import get  # imports torch, which has long been there by now

    return get(method).spec.title
