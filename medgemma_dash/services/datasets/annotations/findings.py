"""What a file of annotations says, entry by entry, and what of it could not be used."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from jaxtyping import Bool

from medgemma_dash.core.geometry import Box

LONGEST_LABEL = 100
MOST_PROBLEMS = 1000
MOST_ENTRIES = 200_000


class UnusableError(Exception):
    """Why an entry cannot be used; it never leaves the readers, and becomes a `Problem`."""


class MaskSource(Protocol):
    """Where a mask comes from: it is drawn only when it is asked for."""

    def draw(self, height: int, width: int) -> Bool[np.ndarray, "height width"]:
        """The mask; raises ImageError when its file was changed or damaged meanwhile."""
        ...


@dataclass(frozen=True)
class AnnotatedFinding:
    """One finding on one picture, by boxes or by a mask, in the picture's own pixels.

    size: (height, width) of the picture. boxes: empty when there is a mask.
    """

    image: Path
    label: str
    size: tuple[int, int]
    boxes: tuple[Box, ...] = ()
    source: MaskSource | None = None

    def mask(self) -> Bool[np.ndarray, "height width"]:
        """The finding as a mask, drawn anew at each call: every pixel that a box touches.

        Raises ImageError when a mask's file was changed or damaged since it was listed.
        """
        if self.source is not None:
            return self.source.draw(*self.size)
        drawn = np.zeros(self.size, np.bool_)
        for box in self.boxes:
            rows = slice(math.floor(box.top), math.ceil(box.bottom))
            drawn[rows, math.floor(box.left) : math.ceil(box.right)] = True
        return drawn


@dataclass(frozen=True)
class Problem:
    """What could not be used. place: "line 12", "annotation 3", or the name of a file or entry."""

    place: str
    reason: str


@dataclass(frozen=True)
class AnnotationSet:
    """All usable findings, one for each picture and label, and what was left out or changed.

    unlisted_problems: how many more problems there are than are listed.
    """

    findings: tuple[AnnotatedFinding, ...]
    problems: tuple[Problem, ...]
    unlisted_problems: int = 0


@dataclass
class Collector:
    """Gathers findings and problems while a file is read; boxes of one finding come together."""

    _boxes: dict[tuple[Path, str], list[Box]] = field(default_factory=dict)
    _sizes: dict[Path, tuple[int, int]] = field(default_factory=dict)
    _masks: dict[tuple[Path, str], MaskSource] = field(default_factory=dict)
    _problems: list[Problem] = field(default_factory=list)
    _unlisted: int = 0

    def problem(self, place: str, reason: str) -> None:
        """Note what cannot be used."""
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(shortened(place), reason))
        else:
            self._unlisted += 1

    def add_box(
        self,
        place: str,
        image: Path,
        size: tuple[int, int],
        label: str,
        corner_and_extent: tuple[float, float, float, float],
    ) -> None:
        """Add a box given as (left, top, width, height), cut to the picture."""
        left, top, width, height = corner_and_extent
        rows, cols = size
        if not all(map(math.isfinite, corner_and_extent)) or width <= 0 or height <= 0:
            self.problem(place, "The box has no area, or numbers that are not finite.")
            return
        bottom, right = min(top + height, float(rows)), min(left + width, float(cols))
        box = Box(max(top, 0.0), max(left, 0.0), bottom, right)
        if box.top >= box.bottom or box.left >= box.right:
            self.problem(place, f"The box lies outside the picture of {cols} x {rows} pixels.")
            return
        if box != Box(top, left, top + height, left + width):
            self.problem(place, f"The box was cut to the picture of {cols} x {rows} pixels.")
        self._sizes[image] = size
        self._boxes.setdefault((image, label), []).append(box)

    def add_mask(
        self, place: str, image: Path, size: tuple[int, int], label: str, source: MaskSource
    ) -> None:
        """Add a mask; the first one of a picture and label counts."""
        if (image, label) in self._masks:
            self.problem(place, "There is a mask of this finding on this picture already.")
            return
        self._sizes[image] = size
        self._masks[image, label] = source

    def result(self) -> AnnotationSet:
        """All of it, in the order of the file."""
        boxes = [
            AnnotatedFinding(image, label, self._sizes[image], boxes=tuple(found))
            for (image, label), found in self._boxes.items()
        ]
        masks = [
            AnnotatedFinding(image, label, self._sizes[image], source=source)
            for (image, label), source in self._masks.items()
        ]
        return AnnotationSet((*boxes, *masks), tuple(self._problems), self._unlisted)


def read_label(value: object) -> str | None:
    """A label as one line of text without surplus blanks; None when it is none."""
    if not isinstance(value, str) or len(value) > LONGEST_LABEL:
        return None
    label = " ".join(value.split())
    return label if label and label.isprintable() else None


def shortened(text: str) -> str:
    """Text from a file, for a message: printable, and not long."""
    shown = "".join(c if c.isprintable() else "?" for c in text[: LONGEST_LABEL + 1])
    return shown if len(shown) <= LONGEST_LABEL else shown[:LONGEST_LABEL] + "..."
