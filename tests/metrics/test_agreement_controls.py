"""Verdicts on how alike maps are: what chance gives is never called alike."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from medgemma_dash.core.centre_prior import centre_map
from medgemma_dash.metrics.agreement import AGREEMENT_MEASURES, agreement, divergence_in_words
from medgemma_dash.metrics.agreement_controls import (
    LEVEL,
    MARGIN,
    MOST_OF_THE_WAY,
    judged_agreement,
    judged_pairs,
)
from medgemma_dash.metrics.agreement_words import verdicts
from medgemma_dash.metrics.displaced import displaced_agreements

GRID = (16, 16)
CELLWISE = [name for name in AGREEMENT_MEASURES if name != "peak_distance"]


def spot(row: float, col: float, width: float = 1.5) -> np.ndarray:
    down, across = np.mgrid[: GRID[0], : GRID[1]]
    return np.exp(-((down - row) ** 2 + (across - col) ** 2) / (2 * width**2)).astype(np.float32)


def blots(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(GRID)
    smooth = gaussian_filter(noise, 1.5, mode="wrap")
    return (smooth - smooth.min()).astype(np.float32)


@pytest.mark.parametrize("measure", AGREEMENT_MEASURES)
def test_a_map_and_its_multiples_are_the_same_map(measure: str) -> None:
    found = judged_agreement(blots(0), 3 * blots(0), measure)
    assert found.verdict == "the same map"
    assert found.alike


@pytest.mark.parametrize("measure", CELLWISE)
def test_two_maps_of_one_place_are_alike_and_of_two_places_are_not(measure: str) -> None:
    place = spot(4, 4)
    # Ranks weigh what lies in the spot's empty surroundings like the spot itself.
    noise = 1e-5 if measure == "spearman" else 0.02
    assert judged_agreement(place, place + noise * blots(1), measure).verdict == "alike"
    assert not judged_agreement(place, spot(12, 11), measure).alike


@pytest.mark.parametrize("measure", CELLWISE)
@pytest.mark.parametrize("smooth", [False, True])
def test_a_random_map_is_told_from_chance_no_more_often_than_stated(
    measure: str, smooth: bool
) -> None:
    generator = np.random.default_rng(5)
    fixed, draws, beyond, towards = blots(3), 160, 0, 0
    for seed in range(draws):
        other = blots(1000 + seed) if smooth else generator.random(GRID, dtype=np.float32)
        found = judged_agreement(fixed, other, measure)
        outside = not found.low <= found.value <= found.high
        beyond += outside
        towards += found.alike
    # Three standard errors of a share of 160 draws.
    share = 1 - LEVEL
    assert beyond / draws <= share + 3 * np.sqrt(share * (1 - share) / draws)
    assert towards / draws <= share / 2 + 3 * np.sqrt(share / 2 * (1 - share / 2) / draws)


def test_diffuse_maps_are_not_alike_for_being_diffuse() -> None:
    # Published as nearly identical; one knows nothing, the other hardly differs from it.
    faint, even = 1 + 0.05 * blots(2), np.ones(GRID, np.float32)
    found = judged_agreement(faint, even, "divergence")
    assert divergence_in_words(found.value) == "nearly identical"
    assert found.verdict == "no more alike than an even map"
    both = judged_agreement(faint, 1 + 0.05 * blots(4), "divergence")
    assert divergence_in_words(both.value) == "nearly identical"
    assert not both.alike
    noise = np.random.default_rng(0).random(GRID, dtype=np.float32)
    chance = judged_agreement(blots(2), noise, "divergence")
    assert divergence_in_words(chance.value) == "nearly identical"
    assert chance.verdict == "no more alike than a random map"


def test_maps_that_share_nothing_but_the_middle_are_as_alike_as_the_middle() -> None:
    bell = centre_map(GRID)
    one, other = (bell * (1 + 0.8 * blots(seed) / blots(seed).max()) for seed in (6, 7))
    found = judged_agreement(one, other, "divergence")
    assert found.value < found.low
    assert found.verdict == "no more alike than a map in the centre"
    assert found.failed_at == ("with the centre", found.centre)
    # The sentence gives the number of the control that the pair failed at.
    said = verdicts(["A", "B"], {(0, 1): found}, "divergence")
    assert f"with the centre {found.centre:.2f}" in said


def test_a_control_is_never_alike_and_its_number_is_there_all_the_same() -> None:
    place = spot(4, 4)
    maps = [place, place + 0.02 * blots(1), place]
    free = judged_pairs(maps, "pearson")
    held = judged_pairs(maps, "pearson", controls=(1, 2))
    assert free[0, 1].verdict == "alike"
    assert free[0, 2].verdict == "the same map"
    for pair, found in held.items():
        assert found.verdict == "a control, not judged"
        assert found.value == free[pair].value
        assert not found.alike
    said = verdicts(["A", "Random", "Centre"], held, "pearson")
    assert said == (
        "By Pearson, no pair is judged: one map or both know nothing of the model. Their numbers "
        "are shown."
    )


@pytest.mark.parametrize("measure", ["divergence", "pearson"])
def test_alike_begins_a_quarter_of_the_band_beyond_its_edge(measure: str) -> None:
    # One spot walks away from the other: the verdict changes at the stated number, not before.
    place, best = spot(4, 4) + 0.3 * blots(3), AGREEMENT_MEASURES[measure].best
    verdicts_seen = set()
    for step in np.linspace(0, 8, 60):
        one = judged_agreement(place, spot(4, 4 + step) + 0.3 * blots(4), measure)
        edge = one.low if measure == "divergence" else one.high
        needed = min(MARGIN * (one.high - one.low), MOST_OF_THE_WAY * abs(best - edge))
        beyond = (edge - one.value) * np.sign(edge - best) / needed
        # Nothing lies nearer than a millionth to either end.
        assert min(abs(beyond), abs(beyond - 1)) > 1e-6
        if beyond < 0:
            assert one.verdict[:7] in ("no more", "less al")
        else:
            assert one.verdict.startswith("hardly") == (beyond < 1)
        verdicts_seen.add(one.verdict)
    assert {"alike", "hardly more alike than a random map"} <= verdicts_seen


def test_the_nearer_of_both_maps_to_an_even_one_counts() -> None:
    # One sharp and one diffuse map of the same places: the diffuse one is nearer to an even map.
    diffuse = blots(3) / blots(3).max()
    sharp = diffuse**4
    even = np.ones(GRID, np.float32)
    found = judged_agreement(sharp, diffuse, "divergence")
    assert found.even == judged_agreement(diffuse, even, "divergence").value
    assert found.value < found.low - MARGIN * (found.high - found.low)
    assert found.verdict == "no more alike than an even map"


def test_maps_that_shun_each_other_are_less_alike_than_chance() -> None:
    halves = np.zeros(GRID, np.float32)
    halves[:8] = 1
    found = judged_agreement(halves, 1 - halves, "pearson")
    assert found.value == pytest.approx(-1)
    # Half of the grid's shifts are worth as much, none is worse.
    assert found.verdict == "no more alike than a random map"
    assert judged_agreement(spot(4, 4), spot(4, 4).max() - spot(4, 4), "pearson").verdict == (
        "less alike than a random map"
    )


@pytest.mark.parametrize("measure", AGREEMENT_MEASURES)
def test_displaced_copies_are_those_of_the_measure_itself(measure: str) -> None:
    one, other = blots(8)[:5, :6], blots(9)[:5, :6]
    wanted = [
        getattr(agreement(one, np.roll(mirrored, (down, across), (0, 1))), measure)
        for mirrored in (other, other[::-1], other[:, ::-1], other[::-1, ::-1])
        for down in range(5)
        for across in range(6)
    ][1:]
    found = displaced_agreements(one, other, measure)
    if measure == "peak_distance":
        # Shifted, the other's peak comes to every place once, itself included; mirrored or not.
        every = [*wanted[:29], agreement(one, other).peak_distance]
        np.testing.assert_allclose(np.sort(found[:30]), np.sort(every), atol=1e-12)
    else:
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_constant_and_empty_maps_are_not_comparable() -> None:
    empty = np.zeros(GRID, np.float32)
    for measure in ("divergence", "top_overlap", "peak_distance"):
        assert judged_agreement(blots(0), empty, measure).verdict == "not comparable"
    assert judged_agreement(blots(0), empty + 1, "spearman").verdict == "not comparable"


def test_all_pairs_are_judged_and_another_measure_is_refused() -> None:
    maps = [blots(0), blots(1), spot(2, 3)]
    pairs = judged_pairs(maps, "cosine")
    assert list(pairs) == [(0, 1), (0, 2), (1, 2)]
    assert pairs[0, 2] == judged_agreement(maps[0], maps[2], "cosine")
    with pytest.raises(ValueError, match="top_overlap"):
        judged_pairs(maps, "taste")
