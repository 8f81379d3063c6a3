"""What tests of one target have found so far, for the next one to compute nothing twice."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from medgemma_dash.core.explanation import Explanation
    from medgemma_dash.services.faithfulness.sanity import Finding


@dataclass(eq=False)
class Known:
    """Of one answer's target, by one model, with one donor.

    maps: by method. scores: log-probabilities by removal, then by mask (`key_of`); those of a test
        that was stopped are kept too. findings: of the sanity checks, by methods and removal.
    """

    maps: "dict[str, Explanation]" = field(default_factory=dict)
    scores: dict[str, dict[bytes, float]] = field(default_factory=dict)
    findings: "dict[tuple[tuple[str, ...], str], list[Finding]]" = field(default_factory=dict)


def key_of(mask: npt.NDArray[np.bool_]) -> bytes:
    """A mask's name; those of other cells differ."""
    return np.packbits(mask).tobytes()
