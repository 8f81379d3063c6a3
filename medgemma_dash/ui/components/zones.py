"""The zones of the open radiograph, fitted once for each scheme and grid."""

from __future__ import annotations

from typing import cast

from medgemma_dash.regions import DEFAULT_SCHEME, ZoneMap, ZoneScheme, zone_map
from medgemma_dash.ui.state import session as keys
from medgemma_dash.ui.state.session import widget_value
from medgemma_dash.ui.state.study import Study


def chosen_scheme() -> ZoneScheme:
    """The zone scheme that the reader chose."""
    return cast(ZoneScheme, widget_value(keys.ZONE_SCHEME, DEFAULT_SCHEME))


def zones_of(study: Study, grid: tuple[int, int]) -> ZoneMap:
    """The zones in the chosen scheme."""
    scheme = chosen_scheme()
    known = study.zones.get((scheme, grid))
    if known is None:
        known = study.zones[scheme, grid] = zone_map(study.radiograph, grid, scheme)
    return known


def zone_names(zones: ZoneMap) -> list[list[str]]:
    """The name of every cell's zone, "" outside of them."""
    rows, cols = zones.labels.shape
    return [[zones.name_at(row, col) for col in range(cols)] for row in range(rows)]
