"""What is asked of an answer's evidence, and what its numbers are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from medgemma_dash.core.record import Asked

KIND = "evidence"
FEWEST_DONORS = 5
# In nats: what a word has to lose, without its image, to count as owing anything to it, and what
# to count as needing it.
LANGUAGE_PRIOR, NEEDS_IMAGE = 0.1, 1.0

Mark = Literal["language prior", "in part", "needs the image"]


@dataclass(frozen=True)
class EvidencePlan:
    """Evidence of every word of an answer.

    donors: sha256 of the radiographs that take the image's place, one after the other.
    """

    asked: Asked
    donors: tuple[str, ...]


def mark_of(losses: Sequence[float]) -> Mark:
    """What a word that loses so many nats, each time its image is another or none, is called."""
    most = max(losses)
    if most < LANGUAGE_PRIOR:
        return "language prior"
    return "needs the image" if most >= NEEDS_IMAGE else "in part"
