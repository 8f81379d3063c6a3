"""How a map is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MapDisplay:
    """opacity and threshold from 0 to 1, the threshold as a share of the map's peak."""

    mode: Literal["smooth", "grid"]
    opacity: float
    threshold: float
    colour_scale: str
