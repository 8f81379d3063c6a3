"""Six zones, named from the patient's side, on the grid of soft tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from jaxtyping import Int8

from medgemma_dash.core.radiograph import Laterality, Radiograph
from medgemma_dash.regions.fitting import fitted_halves
from medgemma_dash.regions.frontal import is_upside_down, lungs_of, why_no_zones

ZoneScheme = Literal["fixed", "fitted"]
# Of 47 synthetic lesions whose zone is known, the fitted zones name it for 46, the grid for 38.
DEFAULT_SCHEME: ZoneScheme = "fitted"
SCHEME_TITLES: dict[ZoneScheme, str] = {"fitted": "fitted to the lungs", "fixed": "fixed grid"}
Side = Literal["right", "left", "image left", "image right"]
Level = Literal["upper", "mid", "lower"]

LEVELS: tuple[Level, ...] = get_args(Level)
OUTSIDE = -1
# The tutorial's grid of 16 x 16: rows :5, 5:11, 11: and columns :8, 8:.
_ROW_CUTS, _COL_CUT = (5 / 16, 11 / 16), 8 / 16


@dataclass(frozen=True)
class Zone:
    """One of six zones; side and level in words of the name."""

    name: str
    side: Side
    level: Level


@dataclass(frozen=True, eq=False)
class ZoneMap:
    """Which zone each cell of the grid belongs to.

    zones: six: upper, mid and lower of one side, then of the other; the patient's right first,
        or, when the side is unknown, the image's left first. None on a picture where zones mean
        nothing; `note` says why.
    labels: int8 (rows, cols), index into `zones`, or -1 outside every zone.
    note: what the user should know about how the zones were found; "" if there is nothing.
    """

    zones: tuple[Zone, ...]
    labels: Int8[np.ndarray, "rows cols"]
    scheme: ZoneScheme
    note: str = ""

    def __post_init__(self) -> None:
        self.labels.flags.writeable = False

    @property
    def of_lungs(self) -> bool:
        """Whether the zones are lung, and what is outside of them is not."""
        return self.scheme == "fitted" and bool(self.zones) and not self.note

    @property
    def names(self) -> tuple[str, ...]:
        """The zones' names, such as "Right upper" or "Image left upper"."""
        return tuple(zone.name for zone in self.zones)

    def name_at(self, row: int, col: int) -> str:
        """The name of the zone that holds a cell; "" outside every zone."""
        label = int(self.labels[row, col])
        return "" if label == OUTSIDE else self.zones[label].name


def zone_map(radiograph: Radiograph, grid: tuple[int, int], scheme: ZoneScheme) -> ZoneMap:
    """Divide a grid (rows, cols) over the radiograph into zones.

    "fixed": the same rows and columns on every radiograph, proportional to 5, 6, 5 of 16 rows.
    "fitted": thirds of the height of each lung as it should be, opacified parts included; of the
    body's box where the grid is too coarse to show all of them. No zones at all on a lateral view
    and where no lungs are found.
    Upper is towards the patient's head, wherever in the picture that is; where the patient's
    side is unknown, zones are named by the image alone.
    Raises ValueError for another scheme, or a grid with fewer than 3 rows or 2 columns.
    """
    rows, cols = grid
    if rows < 3 or cols < 2:
        raise ValueError(f"Six zones need a grid of at least 3 x 2 cells, not {rows} x {cols}.")
    if scheme not in get_args(ZoneScheme):
        raise ValueError(f"Zone schemes are {', '.join(get_args(ZoneScheme))}, not {scheme!r}.")
    reason = why_no_zones(radiograph)
    if reason:
        return ZoneMap((), np.full((rows, cols), OUTSIDE, np.int8), scheme, reason)
    laterality = radiograph.laterality
    if scheme == "fixed":
        labels, note = _fixed(rows, cols), ""
    else:
        labels, note = fitted_halves(lungs_of(radiograph), rows, cols)
    # Zones are found with the patient's head at the top, then turned back with the picture.
    if is_upside_down(radiograph):
        labels = np.flipud(labels)
    if laterality == "right":
        labels = _sides_exchanged(labels)
    return ZoneMap(_zones(laterality), labels.copy(), scheme, note)


def _fixed(rows: int, cols: int) -> Int8[np.ndarray, "rows cols"]:
    """Labels with the image's left as 0, 1, 2 and its right as 3, 4, 5."""
    first = min(max(1, round(_ROW_CUTS[0] * rows)), rows - 2)
    second = min(max(first + 1, round(_ROW_CUTS[1] * rows)), rows - 1)
    middle = max(1, round(_COL_CUT * cols))
    level = np.searchsorted([first, second], np.arange(rows), side="right")
    side = (np.arange(cols) >= middle).astype(int)
    labels = level[:, None] + len(LEVELS) * side[None, :]
    return np.asarray(labels, np.int8)


def _sides_exchanged(labels: Int8[np.ndarray, "rows cols"]) -> Int8[np.ndarray, "rows cols"]:
    """The same cells with 0, 1, 2 and 3, 4, 5 exchanged: nothing in the picture moves."""
    exchanged = (labels + len(LEVELS)) % (2 * len(LEVELS))
    return np.where(labels == OUTSIDE, OUTSIDE, exchanged).astype(np.int8)


def _zones(laterality: Laterality) -> tuple[Zone, ...]:
    sides: tuple[Side, Side] = (
        ("image left", "image right") if laterality == "unknown" else ("right", "left")
    )
    return tuple(
        Zone(f"{side} {level}".capitalize(), side, level) for side in sides for level in LEVELS
    )
