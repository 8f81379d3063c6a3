"""What the display windows of a file are called."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from medgemma_dash.core.radiograph import OWN_WINDOW, Window

# WindowCenterWidthExplanation is free text, in which anything may stand, a patient's name
# included. Only words that manufacturers are known to write there are shown.
_KNOWN = frozenset({
    "ABDOMEN", "BONE", "BRIGHT", "CHEST", "CONTRAST", "DARK", "DEFAULT", "HARD", "HARDER",
    "HEART", "HIGH", "HIGH CONTRAST", "LINEAR", "LOW", "LOW CONTRAST", "LUNG", "LUNGS",
    "MEDIASTINUM", "MEDIUM", "NORMAL", "RIBS", "SOFT", "SOFT TISSUE", "SOFTER", "SPINE",
    "STANDARD", "THORAX", "TISSUE",
})  # fmt: skip
_NUMBERED = re.compile(r"(WINDOW|PRESET|ALGO|VOI|LUT) ?[0-9]{1,2}")
_BETWEEN_WORDS = re.compile(r"[ _-]+")


def shown_name(explanation: str, place: int) -> str:
    """The file's word for its window, if it is a known one; else "Window 1" for the first."""
    words = _BETWEEN_WORDS.sub(" ", explanation).strip()
    if words.upper() in _KNOWN or _NUMBERED.fullmatch(words.upper()):
        return words
    return f"Window {place + 1}"


def distinct(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same windows, each under a name of its own: "Lung", "Lung (2)". The reader chooses by
    name, and `OWN_WINDOW` is kept for the window that the reader sets.
    """
    taken = {OWN_WINDOW.casefold()}
    named = []
    for window in windows:
        name, count = window.name, 2
        while name.casefold() in taken:
            name, count = f"{window.name} ({count})", count + 1
        taken.add(name.casefold())
        named.append(replace(window, name=name))
    return tuple(named)
