"""What is left of a target as ever more of the cells that a map ranks are removed, or kept.

Deletion and insertion curves are RISE's (Petsiuk, Das, Saenko, BMVC 2018), comprehensiveness and
sufficiency with their areas over thresholds ERASER's (DeYoung et al., ACL 2020), the gain is the
symmetric relevance gain of Blücher, Vielhaben and Strodthoff (TMLR 2024), which depends less on
how cells are removed than either curve alone. The score comes from outside: log-probabilities in
nats for masks of cells to remove.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int

from medgemma_dash.metrics.faithfulness import TOP_SHARE, Map, Masks, Score

Curve = Literal["deletion", "insertion"]
CURVES: tuple[Curve, ...] = ("deletion", "insertion")

# Twelve steps, finer at both ends; the same read from either end, so that the masks of a ranking's
# deletion are those of the reversed one's insertion.
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
THRESHOLDS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


# Cells in the order in which they are taken, the most relevant first.
Order = Int[np.ndarray, " cells"]


def ranking_of(image: Map) -> Order:
    """A map's cells by their value; of equal ones the first comes first."""
    order: Order = np.argsort(-image.ravel(), kind="stable")
    return order


def chance_rankings(images: Sequence[Map]) -> list[Order]:
    """Of each random map its ranking and the reverse, which is as random: where one deletes, the
    other inserts by the same masks, so that both together cost what one does.
    """
    return [order for image in images for order in _both_ways(ranking_of(image))]


def _both_ways(order: Order) -> tuple[Order, Order]:
    return order, order[::-1].copy()


@dataclass(frozen=True, eq=False)
class MaskPlan:
    """What has to be scored for some rankings.

    masks: each once. places: which of them each step of each curve of each ranking needs.
    """

    shares: tuple[float, ...]
    masks: Masks
    places: Int[np.ndarray, "rankings curves steps"]


@dataclass(frozen=True, eq=False)
class RemovalCurves:
    """Log-probabilities at each share of the cells, removed (deletion) or kept (insertion)."""

    shares: tuple[float, ...]
    deletion: Float[np.ndarray, " steps"]
    insertion: Float[np.ndarray, " steps"]

    @property
    def whole(self) -> float:
        """The log-probability with nothing removed."""
        return float(self.deletion[0])

    def at(self, curve: Curve, share: float) -> float:
        """The log-probability at a share; raises ValueError for one that was not scored."""
        step = next((n for n, one in enumerate(self.shares) if abs(one - share) < 1e-9), None)
        if step is None:
            raise ValueError(f"Share {share} was not scored; these were: {self.shares}.")
        return float(getattr(self, curve)[step])


@dataclass(frozen=True)
class RemovalFigures:
    """What two curves come to; p is the target's probability.

    deletion_auc, insertion_auc: normalised trapezoid areas under p; low, and high, for a good map.
    gain: insertion_auc - deletion_auc.
    comprehensiveness, sufficiency: p - p without the top 20%, p - p of the top 20% alone.
    aopc_comprehensiveness, aopc_sufficiency: their means over `THRESHOLDS`.
    """

    deletion_auc: float
    insertion_auc: float
    gain: float
    comprehensiveness: float
    sufficiency: float
    aopc_comprehensiveness: float
    aopc_sufficiency: float


FIGURES = tuple(field.name for field in fields(RemovalFigures))


def removal_masks(
    order: Order, curve: Curve, shares: Sequence[float] = SHARES
) -> Bool[np.ndarray, "steps cells"]:
    """The cells to remove at each share: the first ones of a deletion, all but those of an
    insertion. A share above 0 takes one cell at least.
    """
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    counts = [max(1, round(share * len(order))) if share > 0 else 0 for share in shares]
    taken: Bool[np.ndarray, "steps cells"] = rank < np.array(counts)[:, None]
    return taken if curve == "deletion" else ~taken


def plan_masks(rankings: Sequence[Order], shares: Sequence[float] = SHARES) -> MaskPlan:
    """All masks of all rankings, each once, nothing removed first."""
    known: dict[bytes, int] = {}
    kept: list[Bool[np.ndarray, " cells"]] = []
    places = np.empty((len(rankings), len(CURVES), len(shares)), np.int64)
    for number, order in enumerate(rankings):
        for which, curve in enumerate(CURVES):
            for step, mask in enumerate(removal_masks(order, curve, shares)):
                key = mask.tobytes()
                if key not in known:
                    known[key] = len(kept)
                    kept.append(mask)
                places[number, which, step] = known[key]
    return MaskPlan(tuple(shares), np.stack(kept), places)


def curves_of(plan: MaskPlan, scores: Float[np.ndarray, " masks"]) -> list[RemovalCurves]:
    """Each ranking's curves, from the scores of the plan's masks."""
    return [RemovalCurves(plan.shares, *scores[places]) for places in plan.places]


def removal_curves(
    score: Score, rankings: Sequence[Order], shares: Sequence[float] = SHARES
) -> list[RemovalCurves]:
    """Score all masks of all rankings in one call."""
    plan = plan_masks(rankings, shares)
    return curves_of(plan, score(plan.masks))


def figures_of(curves: RemovalCurves) -> RemovalFigures:
    """The curves' figures; raises ValueError where a threshold was not scored."""
    p = float(np.exp(curves.whole))
    deletion, insertion = (area_under(curves.shares, getattr(curves, one)) for one in CURVES)
    without, alone = (
        {share: p - float(np.exp(curves.at(curve, share))) for share in THRESHOLDS}
        for curve in CURVES
    )
    return RemovalFigures(
        deletion_auc=deletion,
        insertion_auc=insertion,
        gain=insertion - deletion,
        comprehensiveness=without[TOP_SHARE],
        sufficiency=alone[TOP_SHARE],
        aopc_comprehensiveness=float(np.mean(list(without.values()))),
        aopc_sufficiency=float(np.mean(list(alone.values()))),
    )


def area_under(shares: Sequence[float], log_probabilities: Float[np.ndarray, " steps"]) -> float:
    """The trapezoid area under the probability, over the width of the shares."""
    return float(np.trapezoid(np.exp(log_probabilities), shares)) / (shares[-1] - shares[0])
