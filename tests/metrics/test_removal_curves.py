"""Removal curves of scores whose truth is known, and chance that holds what it says."""

import numpy as np
import pytest

from medgemma_dash.metrics.chance import better_than_chance, chance_of, over_all
from medgemma_dash.metrics.infidelity import infidelity, max_sensitivity, scaled_infidelity
from medgemma_dash.metrics.published_forms import published_forms
from medgemma_dash.metrics.removal_curves import (
    SHARES,
    THRESHOLDS,
    chance_rankings,
    curves_of,
    figures_of,
    plan_masks,
    ranking_of,
    removal_curves,
    removal_masks,
)

CELLS = 100
EFFECT = np.random.default_rng(0).permutation(np.arange(1, CELLS + 1)) / 5050 * 0.8


def linear(masks: np.ndarray) -> np.ndarray:
    """p is 0.1 and the effects of the cells that are left, which are 0.8 together."""
    return np.log(0.1 + ~masks @ EFFECT)


def taken(share: float) -> float:
    """What the strongest cells have together: of 1 to 100, over 5050, the n largest."""
    n = round(share * CELLS)
    return (n * 100 - n * (n - 1) / 2) / 5050 * 0.8


def test_a_linear_scores_figures_are_sums_of_the_cells_effects():
    (curves,) = removal_curves(linear, [ranking_of(EFFECT)])
    found = figures_of(curves)
    p = 0.9
    deletion = [p - taken(share) for share in SHARES]
    insertion = [0.1 + taken(share) for share in SHARES]
    np.testing.assert_allclose(np.exp(curves.deletion), deletion, atol=1e-12)
    np.testing.assert_allclose(np.exp(curves.insertion), insertion, atol=1e-12)
    assert found.deletion_auc == pytest.approx(np.trapezoid(deletion, SHARES), abs=1e-12)
    assert found.insertion_auc == pytest.approx(np.trapezoid(insertion, SHARES), abs=1e-12)
    # The two curves of a linear score are one mirrored: their areas add up to both ends.
    assert found.deletion_auc + found.insertion_auc == pytest.approx(1.0, abs=1e-12)
    assert found.gain == found.insertion_auc - found.deletion_auc
    assert found.comprehensiveness == pytest.approx(taken(0.2), abs=1e-12)
    assert found.sufficiency == pytest.approx(0.8 - taken(0.2), abs=1e-12)
    mean = np.mean([taken(share) for share in THRESHOLDS])
    assert found.aopc_comprehensiveness == pytest.approx(mean, abs=1e-12)
    assert found.aopc_sufficiency == pytest.approx(0.8 - mean, abs=1e-12)


def test_the_areas_are_as_rise_has_them_and_the_drops_as_eraser():
    """RISE: (sum - half of both ends) / steps. ERASER: means of p - p(without), p - p(only)."""
    shares = tuple(np.arange(11) / 10)
    generator = np.random.default_rng(1)
    told = {}

    def score(masks):
        return np.array([told.setdefault(m.tobytes(), -generator.exponential()) for m in masks])

    (curves,) = removal_curves(score, [ranking_of(generator.random(CELLS))], shares)
    for name in ("deletion", "insertion"):
        p = np.exp(getattr(curves, name))
        rise = (p.sum() - p[0] / 2 - p[-1] / 2) / (len(p) - 1)
        assert getattr(figures_of(curves), f"{name}_auc") == pytest.approx(rise, abs=1e-12)
    p = np.exp(curves.whole)
    for name, figure in (("deletion", "comprehensiveness"), ("insertion", "sufficiency")):
        drops = [p - np.exp(curves.at(name, share)) for share in (0.1, 0.2, 0.3, 0.5, 0.7, 0.9)]
        found = figures_of(curves)
        assert getattr(found, f"aopc_{figure}") == pytest.approx(np.mean(drops), abs=1e-12)
        assert getattr(found, figure) == pytest.approx(drops[1], abs=1e-12)


def test_the_published_forms_are_ratios_of_log_probabilities():
    (curves,) = removal_curves(linear, [ranking_of(EFFECT)])
    found = published_forms(curves)
    s, without, kept = np.log(0.9), np.log(0.9 - taken(0.2)), np.log(0.1 + taken(0.2))
    assert found["comprehensiveness"] == pytest.approx((s - without) / -s)
    assert found["sufficiency"] == pytest.approx(kept / s)
    drops = [s - np.log(0.9 - taken(share)) for share in THRESHOLDS]
    assert found["deletion drop"] == pytest.approx(np.mean(drops))
    inserted = [np.log(0.1 + taken(share)) for share in THRESHOLDS]
    assert found["insertion log-probability"] == pytest.approx(np.mean(inserted))
    # As published, the worse map has the larger "sufficiency", and log-probabilities have no 0.3.
    (worst,) = removal_curves(linear, [ranking_of(-EFFECT)])
    assert published_forms(worst)["sufficiency"] > found["sufficiency"]
    assert found["insertion log-probability"] < 0


def test_masks_take_the_first_cells_or_leave_them_and_each_is_scored_once():
    order = np.array([2, 0, 1, 3])
    deleted = removal_masks(order, "deletion", (0.0, 0.01, 0.5, 1.0))
    assert deleted.tolist() == [
        [False] * 4,
        [False, False, True, False],
        [True, False, True, False],
        [True] * 4,
    ]
    assert (removal_masks(order, "insertion", (0.0, 0.01, 0.5, 1.0)) == ~deleted).all()
    rankings = [
        ranking_of(EFFECT),
        *chance_rankings(list(np.random.default_rng(2).random((5, 100)))),
    ]
    plan = plan_masks(rankings)
    # Eleven steps between the ends by two curves; of ten random rankings five pay for both.
    assert len(plan.masks) == 2 + 6 * 22
    assert not plan.masks[0].any()
    curves = curves_of(plan, linear(plan.masks))
    for one, other in zip(curves[1::2], curves[2::2], strict=True):
        np.testing.assert_array_equal(one.deletion, other.insertion[::-1])
    with pytest.raises(ValueError, match="was not scored"):
        curves[0].at("deletion", 0.33)


def saturating(masks: np.ndarray) -> np.ndarray:
    """A sure model, which says no more once enough of some cells are gone: no straight lines."""
    return -np.log1p(np.exp(4 - 14 * (~masks @ EFFECT)))


@pytest.mark.parametrize("score", [linear, saturating])
def test_chance_holds_the_truth_at_its_rate_and_random_does_not_beat_itself(score):
    generator = np.random.default_rng(3)

    def rankings(pairs):
        return chance_rankings(list(generator.random((pairs, CELLS))))

    def gains_and_areas(orders):
        every = [figures_of(one) for one in removal_curves(score, orders)]
        return [one.gain for one in every], [one.deletion_auc for one in every]

    _, areas = gains_and_areas(rankings(2000))
    truth, trials = np.mean(areas), 200
    held = above = inside = 0
    for _ in range(trials):
        gains, areas = gains_and_areas(rankings(5))
        (new, _), (area, _) = gains_and_areas(rankings(1))
        by_gain, by_area = chance_of(gains), chance_of(areas)
        assert by_gain.mean == pytest.approx(0.0, abs=1e-12)
        held += by_area.mean_low - 1e-12 <= truth <= by_area.mean_high + 1e-12
        inside += by_area.low <= area <= by_area.high
        above += new > by_gain.high
    spread = 3 * np.sqrt(0.05 * 0.95 / trials)
    assert inside / trials >= 0.95 - spread
    assert above / trials <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / trials)
    # Of a linear score a ranking and its reverse have areas that add up to the same: the mean of
    # every pair is the truth itself, and its interval is a point.
    assert held / trials >= 0.95 - spread
    if score is saturating:
        assert held / trials <= 0.95 + spread


@pytest.mark.parametrize("score", [linear, saturating])
def test_the_true_effects_beat_chance_and_their_reverse_does_not(score):
    generator = np.random.default_rng(4)
    noise = chance_rankings(list(generator.random((5, CELLS))))
    best, worst, *random = (
        figures_of(one)
        for one in removal_curves(score, [ranking_of(EFFECT), ranking_of(-EFFECT), *noise])
    )
    chance = chance_of([one.gain for one in random])
    effect = float(score(np.zeros((1, CELLS), bool))[0] - score(np.ones((1, CELLS), bool))[0])
    assert better_than_chance(best.gain, effect, 0.1, [chance]) == "yes"
    assert better_than_chance(worst.gain, effect, 0.1, [chance]) == "no"
    assert better_than_chance(best.gain, 0.09, 0.1, [chance]) == "not shown"
    assert better_than_chance(chance.high, effect, 0.1, [chance]) == "not shown"
    assert over_all(["yes", "yes"]) == "yes"
    assert over_all(["yes", "no"]) == "not shown"


@pytest.mark.parametrize("values", [[], [1.0, 2.0], [1.0, 2.0, 3.0]])
def test_chance_needs_pairs(values):
    with pytest.raises(ValueError, match="two pairs"):
        chance_of(values)


def test_equal_draws_leave_no_room():
    chance = chance_of([2.0] * 6)
    assert (chance.low, chance.high, chance.mean_low, chance.mean_high) == (2.0,) * 4


def test_the_true_effects_of_a_linear_score_have_no_infidelity():
    masks = np.random.default_rng(5).random((60, CELLS)) < 0.4
    drops = masks @ EFFECT
    assert infidelity(EFFECT, masks, drops) == pytest.approx(0, abs=1e-24)
    assert infidelity(2 * EFFECT, masks, drops) == pytest.approx(np.mean(drops**2))
    assert scaled_infidelity(7 * EFFECT, masks, drops) == pytest.approx(0, abs=1e-24)
    assert scaled_infidelity(0 * EFFECT, masks, drops) == 1.0
    noise = np.random.default_rng(6).standard_normal(CELLS)
    told = masks @ noise
    explained = (told @ drops) ** 2 / ((told @ told) * (drops @ drops))
    assert scaled_infidelity(noise, masks, drops) == pytest.approx(1 - explained)
    assert np.isnan(scaled_infidelity(EFFECT, masks, 0 * drops))


def test_sensitivity_is_the_largest_change_over_the_maps_length():
    first = np.array([3.0, 4.0])
    assert (
        max_sensitivity(first, [first, first + np.array([0.0, 1.0]), first - np.array([2.0, 0.0])])
        == 0.4
    )
