"""Whole numbers that may be typed in place of a choice: one, or a list such as 3,5-8."""

import re
from dataclasses import dataclass

# Four digits: more than any model has layers or heads, and no list grows beyond ten thousand.
PART = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")


@dataclass(frozen=True)
class Numbers:
    """What may be typed.

    what: what the numbers mean and where they count from, as errors and help texts say it.
    several: whether a list with ranges is allowed, and not just one number.
    least: the smallest number allowed.
    """

    what: str
    several: bool = False
    least: int = 0

    def read(self, text: str) -> tuple[int, ...] | None:
        """The numbers, ascending, each once; None for a text that is none of what is allowed."""
        found: set[int] = set()
        for part in re.sub(r"\s", "", text).split(","):
            match = PART.fullmatch(part)
            if match is None:
                return None
            first, last = int(match[1]), int(match[2] or match[1])
            if not self.least <= first <= last:
                return None
            found.update(range(first, last + 1))
        return tuple(sorted(found)) if self.several or len(found) == 1 else None
