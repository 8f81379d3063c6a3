"""Lung zones on the model's grid, and what a map puts in each of them."""

from medgemma_dash.regions.frontal import looks_inverted, shown_laterality, why_no_zones
from medgemma_dash.regions.table import ZoneRow, ZoneTable, zone_table
from medgemma_dash.regions.zones import (
    DEFAULT_SCHEME,
    SCHEME_TITLES,
    Zone,
    ZoneMap,
    ZoneScheme,
    zone_map,
)

__all__ = [
    "DEFAULT_SCHEME",
    "SCHEME_TITLES",
    "Zone",
    "ZoneMap",
    "ZoneRow",
    "ZoneScheme",
    "ZoneTable",
    "looks_inverted",
    "shown_laterality",
    "why_no_zones",
    "zone_map",
    "zone_table",
]
