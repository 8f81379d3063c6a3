"""A zone's numbers are sums over raw values."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from medgemma_dash.core.radiograph import Laterality, Radiograph
from medgemma_dash.demo.radiographs import FIRST_EVALUATION_SEED, synthesize
from medgemma_dash.imaging import load_radiograph
from medgemma_dash.regions import ZoneMap, zone_map, zone_table


def film(laterality: str = "left") -> Radiograph:
    drawn = load_radiograph(Image.fromarray(synthesize(FIRST_EVALUATION_SEED).pixels))
    return dataclasses.replace(drawn, laterality=Laterality(laterality, "test"))  # type: ignore[arg-type]


def fixed(laterality: str = "left") -> ZoneMap:
    return zone_map(film(laterality), (16, 16), "fixed")


def test_one_hot_cell_gives_its_zone_everything() -> None:
    image = np.zeros((16, 16), np.float32)
    image[2, 12] = 3.0
    table = zone_table(image, fixed())
    shares = {row.name: row.share for row in table.rows}
    assert shares.pop("Left upper") == 1.0
    assert set(shares.values()) == {0.0}
    assert table.rows[3].peak == 3.0
    assert table.rows[3].mean == pytest.approx(3 / 40)
    assert table.right_left_ratio == 0.0


def test_shares_and_outside_add_up_to_one() -> None:
    image = np.random.default_rng(0).random((16, 16)).astype(np.float32)
    zones = fixed()
    labels = zones.labels.copy()
    labels[0] = -1
    table = zone_table(image, ZoneMap(zones.zones, labels, "fixed"))
    assert sum(row.share for row in table.rows) + table.outside_share == pytest.approx(1)
    assert table.outside_share == pytest.approx(image[0].sum() / image.sum())


def test_scaling_a_map_changes_means_but_no_share() -> None:
    image = np.random.default_rng(1).random((16, 16)).astype(np.float32)
    one, ten = zone_table(image, fixed()), zone_table(image * 10, fixed())
    for before, after in zip(one.rows, ten.rows, strict=True):
        assert after.share == pytest.approx(before.share)
        assert after.mean == pytest.approx(10 * before.mean)


def test_negative_values_count_in_means_and_not_in_shares() -> None:
    image = np.full((16, 16), -1.0, np.float32)
    image[0, 0] = 2.0
    table = zone_table(image, fixed())
    assert table.rows[0].share == 1.0
    assert table.rows[5].mean == -1.0


def test_ratio_follows_the_patient_and_is_none_where_it_means_nothing() -> None:
    image = np.zeros((16, 16), np.float32)
    image[:, :8], image[:, 8:] = 3, 1
    assert zone_table(image, fixed("left")).right_left_ratio == pytest.approx(3)
    assert zone_table(image, fixed("right")).right_left_ratio == pytest.approx(1 / 3)
    assert zone_table(image, fixed("unknown")).right_left_ratio is None
    image[:, 8:] = 0
    assert zone_table(image, fixed("left")).right_left_ratio is None


def test_empty_map_has_no_shares() -> None:
    table = zone_table(np.zeros((16, 16), np.float32), fixed())
    assert {row.share for row in table.rows} == {0.0}
    assert table.right_left_ratio is None


def test_broken_maps_are_refused() -> None:
    with pytest.raises(ValueError, match="zones are"):
        zone_table(np.zeros((8, 8), np.float32), fixed())
    with pytest.raises(ValueError, match="not finite"):
        zone_table(np.full((16, 16), np.nan, np.float32), fixed())


def test_the_densest_zone_is_that_with_most_for_its_area() -> None:
    # Of 256 cells the upper zones have 40, the mid ones 48: as much in each is denser above.
    image = np.zeros((16, 16), np.float32)
    image[0, 0], image[7, 7] = 2.0, 2.1
    table = zone_table(image, fixed())
    assert max(table.rows, key=lambda row: row.share).name == "Right mid"
    densest = table.densest
    assert densest is not None
    assert densest.name == "Right upper"
    assert densest.density == pytest.approx((2.0 / 4.1) / (40 / 256))
    assert zone_table(np.zeros((16, 16), np.float32), fixed()).densest is None


def test_an_even_map_has_density_one_in_every_zone() -> None:
    for scheme in ("fixed", "fitted"):
        zones = zone_map(film(), (16, 16), scheme)  # type: ignore[arg-type]
        table = zone_table(np.ones((16, 16), np.float32), zones)
        assert [row.density for row in table.rows] == pytest.approx([1.0] * 6)
        assert table.of_lungs == (scheme == "fitted")


def test_where_there_are_no_zones_the_table_says_why() -> None:
    blank = load_radiograph(Image.new("L", (64, 64), 100))
    for scheme in ("fixed", "fitted"):
        zones = zone_map(blank, (16, 16), scheme)  # type: ignore[arg-type]
        table = zone_table(np.ones((16, 16), np.float32), zones)
        assert (table.rows, table.right_left_ratio, table.densest) == ((), None, None)
        assert table.outside_share == 1.0
        assert "No lungs" in table.note
        assert not table.of_lungs
