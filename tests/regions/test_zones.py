"""Zones carry the patient's side, and lie where the lungs are."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from medgemma_dash.core.radiograph import Laterality, Radiograph
from medgemma_dash.demo.radiographs import (
    FIRST_EVALUATION_SEED,
    SyntheticRadiograph,
    synthesize,
)
from medgemma_dash.imaging import load_radiograph, negative
from medgemma_dash.imaging.laterality import read_laterality
from medgemma_dash.regions import ZoneMap, looks_inverted, shown_laterality, why_no_zones, zone_map
from medgemma_dash.regions.lungs import SIDE, find_lungs

SEEDS = range(FIRST_EVALUATION_SEED, FIRST_EVALUATION_SEED + 20)
FINE = (64, 64)
SIDES = ("Right", "Left")
LEVELS = ("upper", "mid", "lower")


def drawn(seed: int = SEEDS[0], laterality: str = "left") -> Radiograph:
    radiograph = load_radiograph(Image.fromarray(synthesize(seed).pixels))
    return dataclasses.replace(radiograph, laterality=Laterality(laterality, "test"))  # type: ignore[arg-type]


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (300, 280), np.uint8)


def black() -> np.ndarray:
    return np.zeros((200, 180), np.uint8)


def lateral() -> np.ndarray:
    """A chest from its side: one field of air, the heart in front of it, the spine behind."""
    down, across = (axis / 480 for axis in np.mgrid[:480, :480])
    body = ((across - 0.5) / 0.40) ** 2 + ((down - 0.55) / 0.62) ** 2 < 1
    film = np.where(body, 150.0, 0.0)
    film[((across - 0.5) / 0.27) ** 2 + ((down - 0.42) / 0.33) ** 2 < 1] = 70
    film[((across - 0.38) / 0.15) ** 2 + ((down - 0.55) / 0.13) ** 2 < 1] = 135
    film[body & (np.abs(across - 0.72) < 0.05)] = 200
    film[body & (down > 0.66 + 0.1 * across)] = 170
    grain = np.random.default_rng(0).normal(0, 4, film.shape)
    return (gaussian_filter(film, 5) + grain).clip(0, 255).astype(np.uint8)


def read(pixels: np.ndarray) -> Radiograph:
    return load_radiograph(Image.fromarray(pixels))


def test_fixed_zones_are_the_tutorials_rows_and_columns() -> None:
    zones = zone_map(drawn(), (16, 16), "fixed")
    assert zones.names == tuple(f"{side} {level}" for side in SIDES for level in LEVELS)
    expected = np.zeros((16, 16), int)
    expected[5:11], expected[11:] = 1, 2
    expected[:, 8:] += 3
    np.testing.assert_array_equal(zones.labels, expected)
    assert zones.note == ""


@pytest.mark.parametrize("grid", [(3, 2), (4, 4), (8, 8), (14, 20), (64, 64)])
@pytest.mark.parametrize("scheme", ["fixed", "fitted"])
def test_every_zone_exists_on_every_grid(grid: tuple[int, int], scheme: str) -> None:
    zones = zone_map(drawn(), grid, scheme)  # type: ignore[arg-type]
    assert zones.labels.shape == grid
    assert set(range(6)) <= set(np.unique(zones.labels).tolist())


@pytest.mark.parametrize("scheme", ["fixed", "fitted"])
def test_names_follow_the_patient_and_cells_stay(scheme: str) -> None:
    usual, mirrored, unknown = (
        zone_map(drawn(laterality=side), (16, 16), scheme)  # type: ignore[arg-type]
        for side in ("left", "right", "unknown")
    )
    assert usual.name_at(4, 4) == "Right upper"
    assert mirrored.name_at(4, 4) == "Left upper"
    assert unknown.name_at(4, 4) == "Image left upper"
    assert unknown.names[3] == "Image right upper"
    assert ((usual.labels == -1) == (mirrored.labels == -1)).all()
    np.testing.assert_array_equal(usual.labels, unknown.labels)


@pytest.mark.parametrize("scheme", ["fixed", "fitted"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_zones_of_an_upside_down_picture_are_those_of_the_upright_one(
    scheme: str, side: str
) -> None:
    upright = drawn(laterality=side)
    turned = dataclasses.replace(
        upright,
        pixels=upright.pixels[::-1].copy(),
        intensities=upright.intensities[::-1].copy(),
        laterality=Laterality(side, "test", "bottom"),  # type: ignore[arg-type]
    )
    usual = zone_map(upright, (16, 16), scheme)  # type: ignore[arg-type]
    found = zone_map(turned, (16, 16), scheme)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.labels, usual.labels[::-1])
    assert found.names == usual.names
    assert found.name_at(12, 4) == ("Right upper" if side == "left" else "Left upper")


def test_zones_of_unknown_sides_are_named_by_the_image_whatever_the_head() -> None:
    laterality = Laterality("unknown", "test", "bottom")
    zones = zone_map(dataclasses.replace(drawn(), laterality=laterality), (16, 16), "fixed")
    assert zones.name_at(0, 0) == "Image left upper"


@pytest.fixture(scope="module")
def studies() -> list[tuple[SyntheticRadiograph, ZoneMap]]:
    """Radiographs with their true lungs and lesions, and their fitted zones on a fine grid."""
    return [(synthesize(seed), zone_map(drawn(seed), FINE, "fitted")) for seed in SEEDS]


def on_grid(mask: np.ndarray) -> np.ndarray:
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize(FINE, Image.Resampling.BOX)) > 127


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_fitted_zones_overlap_the_true_lungs(
    studies: list[tuple[SyntheticRadiograph, ZoneMap]],
) -> None:
    lungs, thirds = [], []
    for truth, zones in studies:
        assert zones.note == ""
        for first, side in ((0, "right"), (3, "left")):
            lung = on_grid(truth.lungs[side])
            lungs.append(overlap(lung, (zones.labels >= first) & (zones.labels < first + 3)))
            lines = np.flatnonzero(lung.any(axis=1))
            third = (np.arange(FINE[0]) - lines[0]) * 3 // (lines[-1] + 1 - lines[0])
            for level in range(3):
                here = lung & (third == level)[:, None]
                thirds.append(overlap(here, zones.labels == first + level))
    # An outline of one form cannot follow every lung; side and third are what a zone must tell.
    assert np.mean(lungs) > 0.8
    assert np.mean(thirds) > 0.68


def test_the_outline_keeps_lung_that_is_white() -> None:
    # Before anything was completed, 0.42 of the fluid of 30 effusions lay inside, 0.74 of the air.
    inside: dict[str, list[float]] = {"pleural effusion": [], "pneumothorax": []}
    for seed in range(FIRST_EVALUATION_SEED, FIRST_EVALUATION_SEED + 60):
        truth = synthesize(seed)
        if not {finding.name for finding in truth.findings} & set(inside):
            continue
        lungs = find_lungs(truth.pixels)
        assert lungs.image_left is not None
        assert lungs.image_right is not None
        for finding in truth.findings:
            if finding.name in inside:
                mask = Image.fromarray(finding.mask.astype(np.uint8) * 255)
                small = np.asarray(mask.resize((SIDE, SIDE), Image.Resampling.BOX)) > 127
                lung = lungs.image_left if finding.side == "right" else lungs.image_right
                inside[finding.name].append(float((small & lung).sum() / small.sum()))
    assert np.mean(inside["pleural effusion"]) > 0.65
    assert np.mean(inside["pneumothorax"]) > 0.85


def test_fitted_zones_name_the_side_and_level_of_known_lesions(
    studies: list[tuple[SyntheticRadiograph, ZoneMap]],
) -> None:
    sides, levels = [], []
    for truth, zones in studies:
        for finding in truth.findings:
            if finding.zone:  # the heart has none
                inside = zones.labels[on_grid(finding.mask)]
                zone = zones.zones[int(np.bincount(inside[inside >= 0], minlength=6).argmax())]
                sides.append(zone.side == finding.side)
                levels.append(zone.level == finding.zone)
    assert all(sides)
    assert np.mean(levels) > 0.8  # some lie over the border between two thirds


@pytest.mark.parametrize("scheme", ["fixed", "fitted"])
@pytest.mark.parametrize("make", [noise, black, lateral])
def test_a_picture_without_lungs_has_no_zone_and_no_side(
    make: Callable[[], np.ndarray], scheme: str
) -> None:
    picture = read(make())
    zones = zone_map(picture, (16, 16), scheme)  # type: ignore[arg-type]
    assert zones.zones == ()
    assert (zones.labels == -1).all()
    assert zones.name_at(3, 3) == ""
    assert "No lungs" in zones.note
    assert not zones.of_lungs
    assert picture.laterality == "left"  # which nothing but the convention says
    shown = shown_laterality(picture)
    assert shown == "unknown"
    assert "No lungs" in shown.source


def test_a_lateral_view_has_no_zones_whatever_it_shows() -> None:
    side, _ = read_laterality((), "LL")
    film = dataclasses.replace(drawn(), laterality=side)
    assert "lateral" in why_no_zones(film)
    assert zone_map(film, (16, 16), "fixed").zones == ()
    assert shown_laterality(film) == "unknown"


def test_sides_that_the_file_itself_names_stay() -> None:
    side, _ = read_laterality(("L", "F"), "PA")
    assert shown_laterality(dataclasses.replace(read(noise()), laterality=side)) == "left"
    assert shown_laterality(drawn()) == "left"


@pytest.mark.parametrize("value", [0, 255])
def test_blank_picture_has_no_lungs(value: int) -> None:
    lungs = find_lungs(np.full((200, 180), value, np.uint8))
    assert lungs.image_left is None
    assert lungs.image_right is None


def test_grids_too_small_for_six_zones_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 x 2"):
        zone_map(drawn(), (2, 2), "fixed")


def blots(grain: int, seed: int) -> np.ndarray:
    """Noise in blots of about that many pixels."""
    field = gaussian_filter(np.random.default_rng(seed).normal(size=(300, 280)), grain)
    return ((field - field.min()) / (field.max() - field.min()) * 255).astype(np.uint8)


def test_blots_are_seldom_taken_for_lungs() -> None:
    # Of these 40 films 14 have a rim like a lung's somewhere; in 5 the rest is like a chest, too.
    films = [blots(grain, seed) for grain in (6, 10, 14, 20, 28) for seed in range(8)]
    found = [find_lungs(film).image_left is not None for film in films]
    assert sum(found) <= 5


def test_a_negative_looks_inverted_and_nothing_else_does() -> None:
    films = [drawn(seed) for seed in SEEDS]
    assert not any(looks_inverted(film) for film in films)
    assert all(looks_inverted(negative(film)) for film in films)
    for picture in (noise(), black(), lateral()):
        assert not looks_inverted(read(picture))
        assert not looks_inverted(negative(read(picture)))
