"""One map in numbers: its quality, its zones, and what of that may be judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medgemma_dash.core.explanation import Explanation
from medgemma_dash.metrics.map_quality import MapQuality, Mark
from medgemma_dash.regions import ZoneRow, ZoneTable
from medgemma_dash.services.explaining.headline import named_zone


@dataclass(frozen=True)
class MapNumbers:
    """What is told of a map in tables and files.

    quality, zones: of its positive part on its own film.
    control: whether its method looks at nothing.
    """

    explanation: Explanation
    quality: MapQuality
    zones: ZoneTable
    control: bool

    @property
    def positive_share(self) -> float:
        """Of the magnitudes of all cells what is evidence for the target; NaN without any."""
        image = self.explanation.image.astype(np.float64)
        whole = float(np.abs(image).sum())
        return float(image.clip(0).sum()) / whole if whole > 0 else float("nan")

    @property
    def strongest(self) -> float:
        """The raw value of the cell of the largest magnitude."""
        image = self.explanation.image
        return float(image.flat[int(np.argmax(np.abs(image)))])

    @property
    def judged(self) -> bool:
        """Whether marks and a zone would say something: not of a control, and not of a positive
        part beside which the map's strongest cell is evidence against.
        """
        return not self.control and self.strongest >= 0

    @property
    def marks(self) -> dict[str, Mark | None]:
        """Of the numbers that have thresholds, by field of `MapQuality`; None is not judged.

        Inside the body nothing is good or acceptable that an even map reaches.
        """
        quality = self.quality
        if not self.judged:
            return dict.fromkeys(("inside_body", "border", "entropy", "peak_ratio"))
        above_even = quality.inside_body > quality.even_inside_body
        inside = quality.inside_body_mark
        return {
            "inside_body": inside if above_even or inside == "poor" else None,
            "border": quality.border_mark,
            "entropy": quality.entropy_mark,
            "peak_ratio": quality.peak_mark,
        }

    @property
    def zone(self) -> ZoneRow | None:
        """The zone that the map is in, if it is clearly in one."""
        return named_zone(self.zones) if self.judged else None
