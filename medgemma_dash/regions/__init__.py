"""Lung zones on the model's grid, and what a map puts in each of them."""

from medgemma_dash.regions.table import ZoneRow, ZoneTable, zone_table
from medgemma_dash.regions.zones import Zone, ZoneMap, ZoneScheme, zone_map

__all__ = ["Zone", "ZoneMap", "ZoneRow", "ZoneScheme", "ZoneTable", "zone_map", "zone_table"]
