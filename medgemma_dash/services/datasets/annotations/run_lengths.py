"""Masks written as run lengths, as COCO and its tools write them.

The runs count pixels column by column, first zeros, then ones, in turn. They come as a list of
numbers, or packed into text: five bits a character, the lowest first, from "0" on; bit 6 says
that more follow; from the fourth run on a number is the difference to the run before the last.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from medgemma_dash.services.datasets.annotations.findings import UnusableError

_LONGEST_NUMBER = 7  # characters: 35 bits, more than any picture has pixels


@dataclass(frozen=True)
class RunLengths:
    """A mask of `size` (height, width) in its written form, checked by `read_runs`."""

    size: tuple[int, int]
    counts: str | tuple[int, ...]

    def draw(self, height: int, width: int) -> Bool[np.ndarray, "height width"]:
        """See `MaskSource.draw`."""
        runs = unpacked(self.counts)
        values = np.arange(len(runs)) % 2 == 1
        drawn: Bool[np.ndarray, "height width"] = (
            np.repeat(values, runs).reshape(width, height).T.copy()
        )
        return drawn


def read_runs(entry: object) -> RunLengths:
    """A mask from its JSON form, {"size": [height, width], "counts": ...}.

    Raises UnusableError, with the reason, for anything else.
    """
    if not isinstance(entry, dict):
        raise UnusableError("The mask is not an object with size and counts.")
    size, counts = entry.get("size"), entry.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(_is_count(n) for n in size)):
        raise UnusableError("The mask's size is not [height, width].")
    if isinstance(counts, list):
        if not all(_is_count(n) for n in counts):
            raise UnusableError("The mask's counts are not whole numbers.")
        counts = tuple(counts)
    elif not isinstance(counts, str):
        raise UnusableError("The mask's counts are neither text nor a list.")
    runs = unpacked(counts)
    if sum(runs) != size[0] * size[1]:
        raise UnusableError("The mask's counts do not add up to its size.")
    return RunLengths((size[0], size[1]), counts)


def is_empty(mask: RunLengths) -> bool:
    """Whether no pixel belongs to the mask."""
    return not any(unpacked(mask.counts)[1::2])


def extent(mask: RunLengths) -> tuple[float, float, float, float]:
    """Left, top, width and height of what belongs to the mask; raises UnusableError for nothing.

    No pixel is drawn: a run that goes beyond its column touches the picture's upper and lower edge.
    """
    height = mask.size[0]
    start, left, right, top, bottom = 0, math.inf, -1, math.inf, -1
    for number, run in enumerate(unpacked(mask.counts)):
        if number % 2 and run:
            (first, upper), (last, lower) = divmod(start, height), divmod(start + run - 1, height)
            if last > first:
                upper, lower = 0, height - 1
            left, right = min(left, first), max(right, last)
            top, bottom = min(top, upper), max(bottom, lower)
        start += run
    if right < 0:
        raise UnusableError("Nothing belongs to the mask.")
    return float(left), float(top), float(right + 1 - left), float(bottom + 1 - top)


def unpacked(counts: str | tuple[int, ...]) -> list[int]:
    """The runs as numbers; raises UnusableError for text that is no packed list of them."""
    if not isinstance(counts, str):
        return list(counts)
    runs: list[int] = []
    number = characters = 0
    for character in counts:
        bits = ord(character) - ord("0")
        if not 0 <= bits < 64 or characters == _LONGEST_NUMBER:
            raise UnusableError("The mask's counts are damaged.")
        number |= (bits & 0x1F) << (5 * characters)
        characters += 1
        if bits & 0x20:
            continue
        if bits & 0x10:  # the number is negative
            number -= 1 << (5 * characters)
        if len(runs) > 2:
            number += runs[-2]
        if number < 0:
            raise UnusableError("The mask's counts are damaged.")
        runs.append(number)
        number = characters = 0
    if characters:
        raise UnusableError("The mask's counts are cut off.")
    return runs


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
