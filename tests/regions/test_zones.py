"""Zones carry the patient's side, and lie where the lungs are."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.core.radiograph import Laterality, Radiograph
from medgemma_dash.demo.radiographs import (
    FIRST_EVALUATION_SEED,
    SyntheticRadiograph,
    synthesize,
)
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.regions import ZoneMap, zone_map
from medgemma_dash.regions.lungs import find_lungs

SEEDS = range(FIRST_EVALUATION_SEED, FIRST_EVALUATION_SEED + 20)
FINE = (64, 64)
SIDES = ("Right", "Left")
LEVELS = ("upper", "mid", "lower")


def drawn(seed: int = SEEDS[0], laterality: str = "left") -> Radiograph:
    radiograph = load_radiograph(Image.fromarray(synthesize(seed).pixels))
    return dataclasses.replace(radiograph, laterality=Laterality(laterality, "test"))  # type: ignore[arg-type]


def noise() -> Radiograph:
    values = np.random.default_rng(0).integers(0, 256, (300, 280), np.uint8)
    return load_radiograph(Image.fromarray(values))


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
    assert np.mean(lungs) > 0.75
    assert np.mean(thirds) > 0.62


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


def test_no_lungs_is_said_and_the_body_divided() -> None:
    zones = zone_map(noise(), (16, 16), "fitted")
    assert "instead" in zones.note
    assert set(range(6)) <= set(np.unique(zones.labels).tolist())


@pytest.mark.parametrize("value", [0, 255])
def test_blank_picture_has_no_lungs(value: int) -> None:
    blank = load_radiograph(Image.new("L", (200, 180), value))
    lungs = find_lungs(blank.pixels)
    assert lungs.image_left is None
    assert lungs.image_right is None
    assert "instead" in zone_map(blank, (16, 16), "fitted").note


def test_grids_too_small_for_six_zones_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 x 2"):
        zone_map(drawn(), (2, 2), "fixed")
