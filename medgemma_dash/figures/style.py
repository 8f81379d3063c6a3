"""How a map is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MapDisplay:
    """opacity and threshold from 0 to 1, the threshold as a share of the scale's end.

    scale_peak: the magnitude that the colour scale reaches to at least, so that weak maps look
    weak beside strong ones; 0 for the map's own peak.
    """

    mode: Literal["smooth", "grid"]
    opacity: float
    threshold: float
    colour_scale: str
    scale_peak: float = 0.0
