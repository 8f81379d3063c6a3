"""Does the answer change when what a map marks is taken away? (ERASER, DeYoung et al. 2020)

The score comes from outside: a function that is given masks of soft tokens to remove, and
returns the target's log-probability for each. Nothing here knows a model, nor how many images
it was given: a map's cells are ranked together, be it of one image or of several.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

Map = Float[np.ndarray, "*grid"]  # (rows, cols) of one image, or (cells,) of all of them
Masks = Bool[np.ndarray, "variants cells"]
Score = Callable[[Masks], Float[np.ndarray, " variants"]]

TOP_SHARE = 0.2
RANDOM_RANKINGS = 10


@dataclass(frozen=True)
class Faithfulness:
    """What removing the top share of a map's cells does to the target's probability p.

    comprehensiveness: p(x) - p(x without the top cells); high when the map marks what matters.
    sufficiency: p(x) - p(top cells only); low when what it marks is enough.
    """

    comprehensiveness: float
    sufficiency: float


@dataclass(frozen=True)
class FaithfulnessTable:
    """Several maps of one target, beside random rankings of the cells.

    p: the target's probability with the whole image; p_blank: with every soft token removed.
    """

    p: float
    p_blank: float
    maps: tuple[Faithfulness, ...]
    random: tuple[Faithfulness, ...]

    @property
    def image_dependence(self) -> float:
        """How much the target's probability owes to the image; where it is near 0, the
        faithfulness of a map means little.
        """
        return self.p - self.p_blank

    @property
    def random_mean(self) -> Faithfulness:
        """The mean of the random rankings."""
        return Faithfulness(
            float(np.mean([one.comprehensiveness for one in self.random])),
            float(np.mean([one.sufficiency for one in self.random])),
        )

    def above_random(self, map_index: int) -> float:
        """Share of the random rankings whose comprehensiveness a map beats."""
        reached = self.maps[map_index].comprehensiveness
        return float(np.mean([reached > one.comprehensiveness for one in self.random]))


def top_cells(image: Map, share: float) -> Bool[np.ndarray, " places"]:
    """The share of cells with the highest values, at least one; of equal cells the first."""
    values = image.ravel()
    count = max(1, round(share * values.size))
    chosen = np.zeros(values.size, np.bool_)
    chosen[np.argsort(-values, kind="stable")[:count]] = True
    return chosen


def masks_to_score(
    images: Sequence[Map],
    *,
    share: float = TOP_SHARE,
    rankings: int = RANDOM_RANKINGS,
    seed: int = 0,
) -> Masks:
    """What `table_of_scores` needs the scores of: nothing removed, everything, and then the top
    cells, and all but the top cells, of every map and of `rankings` random ones.

    Raises ValueError for no map, or maps of different sizes.
    """
    if not images or len({image.shape for image in images}) > 1:
        raise ValueError("Faithfulness needs maps, all of one shape.")
    generator = np.random.default_rng(seed)
    shape = images[0].shape
    noise = [generator.random(shape) for _ in range(rankings)]
    tops = np.stack([top_cells(image, share) for image in (*images, *noise)])
    nothing = np.zeros((1, tops.shape[1]), np.bool_)
    masks: Masks = np.concatenate([nothing, ~nothing, tops, ~tops])
    return masks


def table_of_scores(scores: Float[np.ndarray, " variants"], maps: int) -> FaithfulnessTable:
    """The numbers, from the scores of `masks_to_score` of so many maps."""
    p = np.exp(scores)
    without, only = np.split(p[2:], 2)
    found = tuple(
        Faithfulness(float(p[0] - a), float(p[0] - b)) for a, b in zip(without, only, strict=True)
    )
    return FaithfulnessTable(float(p[0]), float(p[1]), found[:maps], found[maps:])


def measure_faithfulness(
    score: Score,
    images: Sequence[Map],
    *,
    share: float = TOP_SHARE,
    rankings: int = RANDOM_RANKINGS,
    seed: int = 0,
) -> FaithfulnessTable:
    """Score every map and `rankings` random ones in one call of `score`.

    Raises ValueError for no map, or maps of different sizes.
    """
    masks = masks_to_score(images, share=share, rankings=rankings, seed=seed)
    return table_of_scores(score(masks), len(images))
