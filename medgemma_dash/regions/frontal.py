"""Whether a picture is a frontal chest film with lungs: on no other do zones and sides mean
anything.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from medgemma_dash.core.radiograph import Laterality, Radiograph
from medgemma_dash.imaging.laterality import ASSUMED, is_lateral
from medgemma_dash.regions.lungs import Lungs, find_lungs

LATERAL_VIEW = (
    "This is a lateral view, where one lung lies over the other: no zone or side is named."
)
NO_LUNGS = "No lungs could be made out in this picture: no zone or side is named."

# Drawn and tabled many times while a film is open.
_found: WeakKeyDictionary[Radiograph, Lungs] = WeakKeyDictionary()


def lungs_of(radiograph: Radiograph) -> Lungs:
    """The film's lungs with the patient's head at the top, found once for each film."""
    known = _found.get(radiograph)
    if known is None:
        upside_down = is_upside_down(radiograph)
        pixels = np.flipud(radiograph.pixels).copy() if upside_down else radiograph.pixels
        known = _found[radiograph] = find_lungs(pixels)
    return known


def is_upside_down(radiograph: Radiograph) -> bool:
    """Whether the file says that the patient's head is at the picture's lower edge."""
    laterality = radiograph.laterality
    return laterality != "unknown" and laterality.head == "bottom"


def why_no_zones(radiograph: Radiograph) -> str:
    """Why zones and sides mean nothing on this picture; "" where they do."""
    if is_lateral(radiograph.laterality):
        return LATERAL_VIEW
    return NO_LUNGS if lungs_of(radiograph).image_left is None else ""


def shown_laterality(radiograph: Radiograph) -> Laterality:
    """The sides to mark on the picture: none that were only assumed where no lungs are seen.

    What the file itself says of its sides holds, whatever the picture shows.
    """
    laterality = radiograph.laterality
    if laterality == "unknown" or laterality.source != ASSUMED:
        return laterality
    reason = why_no_zones(radiograph)
    return Laterality("unknown", reason) if reason else laterality


def looks_inverted(radiograph: Radiograph) -> bool:
    """Whether lungs are found in the picture's negative: they are bright, and what lies between
    them is dark, as in a file whose photometric interpretation is wrong.
    """
    return not is_lateral(radiograph.laterality) and lungs_of(radiograph).negative
