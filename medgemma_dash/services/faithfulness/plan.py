"""What is asked of a faithfulness test, and what removing a part of an image may mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from medgemma_dash.core.errors import MethodError
from medgemma_dash.core.record import Asked
from medgemma_dash.core.removals import REMOVALS as REMOVALS
from medgemma_dash.core.removals import checked_removal

KIND = "faithfulness"
METHODS = ("chefer", "attnlrp")

# One removal alone proves little. A blur of 10 pixels leaves large soft shadows as they are, and of
# the two others inpainting is the slower one.
USUAL_REMOVALS = ("mean token", "another patient", "mean grey")

# Of random rankings, and of those of smooth blots: each ranking and its reverse.
DRAWS, FEWEST_DRAWS = 10, 10
BLURRED_DRAWS = 10
# In nats: what a target owes to the image at least, for a map of it to be tested.
LEAST_IMAGE_EFFECT = 0.1

# What passes. None of these is a law: the values stand in the record.
SPATIAL_AREA = 0.9  # of white cells told from black ones by their soft tokens
REPEATED = 1e-6  # of the map's peak
RANDOMISED_CORRELATION = 0.5  # below it, in magnitude
ENTROPY_CHANGE = 0.01  # of the entropy before
SENSITIVITY = 0.5  # of the map's length; two maps of independent noise differ by 0.7
COMPLETENESS = 0.05  # of the logit's change, as the method's authors ask for
RANDOM_MAPS = 20  # that an infidelity has to stay below

SANITY_LIMITS = {
    "spatial order": f"at least {SPATIAL_AREA:g}",
    "repeatability": f"at most {REPEATED:g}",
    **{
        f"{part} randomisation{figure}": limit
        for part in ("decoder", "vision tower")
        for figure, limit in (
            ("", f"within {RANDOMISED_CORRELATION:g} of 0"),
            (", entropy", f"at least {ENTROPY_CHANGE:g} from 0"),
        )
    },
    "max-sensitivity": f"below {SENSITIVITY:g}",
    "infidelity": f"below {RANDOM_MAPS} random maps",
    "completeness": f"at most {COMPLETENESS:g}",
}

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


def checked_choices(
    methods: Iterable[str], removals: Iterable[str], draws: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Methods and removals, each once, in the order given; raises MethodError that lists them."""
    from medgemma_dash.methods import get  # imports torch

    names = tuple(dict.fromkeys(methods))
    if not names:
        raise MethodError("No method is named whose map could be tested.")
    for name in names:
        get(name)
    if draws < FEWEST_DRAWS or draws % 2:
        raise MethodError(
            f"{draws} random rankings; at least {FEWEST_DRAWS} tell of chance, and they come in "
            "pairs of a ranking and its reverse."
        )
    return names, _checked_removals(removals)


def _checked_removals(names: Iterable[str]) -> tuple[str, ...]:
    removals = tuple(dict.fromkeys(names))
    for name in removals:
        checked_removal(name)
    if not removals:
        raise MethodError(f"Nothing is removed. Name one at least of {', '.join(REMOVALS)}.")
    return removals
