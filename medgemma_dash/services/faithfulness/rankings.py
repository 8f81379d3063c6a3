"""The rankings that are tested: of the methods' maps, and of the controls beside them."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from medgemma_dash.core.answer import Answer
from medgemma_dash.core.errors import CancelledError, NoExplanationError, OutOfMemoryError
from medgemma_dash.core.explanation import Explanation
from medgemma_dash.core.progress import Check
from medgemma_dash.core.target import Target
from medgemma_dash.metrics.controls import blurred_random_maps, centre_map, random_maps
from medgemma_dash.metrics.removal_curves import Order, chance_rankings, ranking_of
from medgemma_dash.models import VisionLanguageModel
from medgemma_dash.services.explaining.explain import explain_target
from medgemma_dash.services.faithfulness.plan import (
    BLURRED,
    BLURRED_DRAWS,
    CENTRE,
    RANDOM,
    FaithfulnessPlan,
)
from medgemma_dash.services.faithfulness.tables import METHOD, Ranked
from medgemma_dash.services.runtime.failures import plain_error

ControlMaps = Callable[[tuple[int, int], int, np.random.Generator], Float[np.ndarray, "n r c"]]


@dataclass
class FoundMaps:
    """What each method found, or why there is no map."""

    found: dict[str, Explanation] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def explained(
    current: Callable[[], VisionLanguageModel],
    answer: Answer,
    target: Target,
    methods: Sequence[str],
    check: Check | None,
    known: dict[str, Explanation],
) -> Generator[None, None, FoundMaps]:
    """Each method's map; one that fails gives its reason, and the next one runs.

    known: maps that were found before; those found now are added.
    """
    maps = FoundMaps()
    for place, name in enumerate(methods):
        if name in known:
            maps.found[name] = known[name]
            continue
        if place:
            yield
        try:
            found = explain_target(current(), answer, target, method=name, check=check)
            if not found.cells.any():
                raise NoExplanationError("It finds no relevance on the image.")  # noqa: TRY301
            maps.found[name] = known[name] = found
        except CancelledError:
            raise
        except Exception as raised:
            error = plain_error(raised, f"Explaining by {name}")
            if isinstance(error, OutOfMemoryError):
                current().drop_caches()
            maps.failures[name] = str(error)
    if not maps.found:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in maps.failures.items())
        raise NoExplanationError(f"No method has a map that could be tested. {reasons}")
    return maps


def rankings_of(
    answer: Answer, found: dict[str, Explanation], plan: FaithfulnessPlan
) -> tuple[list[Ranked], list[Order]]:
    """Whose rankings are scored: the methods', and every control's, the same for all of them."""
    grids = [image.grid for image in answer.images]

    def by_chance(make: ControlMaps, kind: str, draws: int, stream: int) -> None:
        generator = np.random.default_rng([plan.seed, stream])
        maps = [
            np.concatenate([make(grid, 1, generator)[0].ravel() for grid in grids])
            for _ in range(draws // 2)
        ]
        orders.extend(chance_rankings(maps))
        ranked.extend(Ranked(kind, kind, draw) for draw in range(draws))

    ranked = [Ranked(METHOD, name, 0) for name in found]
    orders = [ranking_of(one.cells) for one in found.values()]
    by_chance(random_maps, RANDOM, plan.draws, 0)
    ranked.append(Ranked(CENTRE, CENTRE, 0))
    orders.append(ranking_of(np.concatenate([centre_map(grid).ravel() for grid in grids])))
    by_chance(blurred_random_maps, BLURRED, BLURRED_DRAWS, 1)
    return ranked, orders


def named_images(found: dict[str, Explanation]) -> dict[str, np.ndarray]:
    """Each method's map of the current image by its name; of the ones before it by theirs too."""
    maps = {}
    for name, explanation in found.items():
        *earlier, current = explanation.images
        maps[name] = current.copy()
        for number, image in enumerate(earlier, 1):
            maps[f"{name}, image {number}"] = image.copy()
    return maps
