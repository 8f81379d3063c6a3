"""What share of a map each zone holds. Raw values throughout: maps stay comparable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from medgemma_dash.regions.zones import OUTSIDE, ZoneMap, ZoneScheme


@dataclass(frozen=True)
class ZoneRow:
    """One zone's numbers.

    share: of the whole map's positive mass; all shares and `outside_share` add up to 1, or are
        all 0 for a map without positive values.
    mean, peak: of the raw values of its cells, negative ones included.
    area: its share of the map's cells.
    """

    name: str
    share: float
    mean: float
    peak: float
    area: float = 0.0

    @property
    def density(self) -> float:
        """Share over area: how many times as much as its area alone would bring; 1 is even."""
        return self.share / self.area if self.area > 0 else 0.0


@dataclass(frozen=True)
class ZoneTable:
    """A map's numbers, zone by zone.

    right_left_ratio: positive mass on the patient's right over that on the left; None when the
        sides are unknown or the left holds none.
    outside_share: positive mass on cells outside every zone.
    of_lungs: whether the zones together are the lungs.
    note: what is to be said about the zones, such as why there are none.
    scheme: how the zones were laid out.
    """

    rows: tuple[ZoneRow, ...]
    right_left_ratio: float | None
    outside_share: float
    of_lungs: bool = False
    note: str = ""
    scheme: ZoneScheme = "fitted"

    @property
    def densest(self) -> ZoneRow | None:
        """The zone that holds most for its area; None where none holds anything."""
        held = [row for row in self.rows if row.share > 0]
        return max(held, key=lambda row: row.density, default=None)


def zone_table(image: Float[np.ndarray, "rows cols"], zones: ZoneMap) -> ZoneTable:
    """Sum a raw map over zones. Shares and the ratio count its positive part only, because mass
    has a meaning only there; means and peaks take the values as they are. A map and its zones are
    of one image: of several, shares are of the mass on this one.

    Raises ValueError when the map and the zones differ in shape, or a value is not finite.
    """
    if image.shape != zones.labels.shape:
        raise ValueError(f"The map is {image.shape} and the zones are {zones.labels.shape}.")
    values = image.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("The map holds values that are not finite.")
    mass = np.maximum(values, 0)
    total = float(mass.sum())
    sums = [float(mass[zones.labels == index].sum()) for index in range(len(zones.zones))]
    rows = []
    for index, zone in enumerate(zones.zones):
        inside = values[zones.labels == index]
        mean, peak = (float(inside.mean()), float(inside.max())) if inside.size else (0.0, 0.0)
        area = inside.size / values.size
        rows.append(ZoneRow(zone.name, _share(sums[index], total), mean, peak, area))
    outside = float(mass[zones.labels == OUTSIDE].sum())
    right, left = (
        sum(value for value, zone in zip(sums, zones.zones, strict=True) if zone.side == side)
        for side in ("right", "left")
    )
    ratio = right / left if left > 0 else None
    return ZoneTable(
        tuple(rows), ratio, _share(outside, total), zones.of_lungs, zones.note, zones.scheme
    )


def _share(part: float, total: float) -> float:
    return part / total if total > 0 else 0.0
