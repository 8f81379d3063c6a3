"""What is asked of a faithfulness test, and what removing a part of an image may mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.record import Asked

KIND = "faithfulness"
METHODS = ("chefer", "attnlrp")

# Where the model is given something else: soft tokens replaced, or the picture changed and encoded
# again.
REMOVALS: dict[str, Literal["tokens", "pixels"]] = {
    "mean token": "tokens",
    "another patient": "tokens",
    "blur": "pixels",
    "mean grey": "pixels",
    "inpainting": "pixels",
}
# One of each space and a second of the cheap one, since one removal alone proves little.
USUAL_REMOVALS = ("mean token", "another patient", "blur")

# Of random rankings, and of those of smooth blots: each ranking and its reverse.
DRAWS, FEWEST_DRAWS = 10, 10
BLURRED_DRAWS = 8
# In nats: what a target owes to the image at least, for a map of it to be tested.
LEAST_IMAGE_EFFECT = 0.1

RANDOM, CENTRE, BLURRED = "random", "centre", "blurred random"


@dataclass(frozen=True)
class FaithfulnessPlan:
    """Maps of one target, tested by removing what they mark.

    target: `core.target.Target` as a dict. draws: random rankings, an even number. donor: sha256
    of the radiograph whose soft tokens are put in place, "" where none is. seed: of every control
    and random weight. sanity: whether the methods are checked as well.
    """

    asked: Asked
    target: dict[str, Any]
    methods: tuple[str, ...]
    removals: tuple[str, ...]
    draws: int
    donor: str
    seed: int
    sanity: bool


def checked_removals(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order given; raises MethodError that lists what there is."""
    removals = tuple(dict.fromkeys(names))
    for name in removals:
        if name not in REMOVALS:
            raise MethodError(f"There is no removal {name!r}. Removals: {', '.join(REMOVALS)}.")
    if not removals:
        raise MethodError(f"Nothing is removed. Name one at least of {', '.join(REMOVALS)}.")
    return removals
