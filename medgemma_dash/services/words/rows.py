"""The rows of a words record as values: where each word stands, its map, and what that is like.

No model is needed, and the record may be somebody else's: what does not fit is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.record import Record
from medgemma_dash.metrics.map_quality import Mark
from medgemma_dash.services.words.plan import PLACES, Place

NUMBERS = (
    "inside_body", "border", "left", "right", "apical", "middle", "basal", "entropy", "peak_ratio",
)  # fmt: skip
# Of those that have targets, the column with the mark.
MARKED = {
    "inside_body": "inside_body_mark",
    "border": "border_mark",
    "entropy": "entropy_mark",
    "peak_ratio": "peak_mark",
}
LONGEST_SIDE = 256  # cells of a map; a hostile record may bring more


@dataclass(frozen=True, eq=False)
class WordRow:
    """A word in one of its places, about one image.

    occurrence, of: which one of how many in that place. image, images: the same of radiographs.
    image_sha256: of the radiograph.
    method: what made the map, as published; "" where none did.
    preceding, following: the text around it; behind a forced word stands nothing.
    log_probability: of its tokens together, in nats.
    map: float32 (rows, cols), raw; None where no method gave one.
    numbers: by the names of `NUMBERS`, NaN without a number. marks: by the names of `MARKED`.
    """

    word: str
    place: Place
    occurrence: int
    of: int
    image: int
    images: int
    image_sha256: str
    method: str
    text: str
    preceding: str
    following: str
    log_probability: float
    per_word: bool
    signed: bool
    map: npt.NDArray[np.float32] | None
    numbers: Mapping[str, float]
    marks: Mapping[str, Mark]

    @property
    def name(self) -> str:
        """The word, and which one it is where it stands there more than once."""
        which = f" {self.occurrence}" if self.of > 1 else ""
        image = f", image {self.image}" if self.images > 1 else ""
        return f"{self.word}{which}{image}"


def word_rows(record: Record) -> tuple[WordRow, ...]:
    """All rows, in their order; raises ResultFileError where they are not a words record's."""
    try:
        return tuple(_rows(record))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ResultFileError(
            "The record's tables or plan are not those of the kind 'words'; docs/records.md says "
            "what stands in them."
        ) from error


def full_names(rows: Sequence[WordRow]) -> list[str]:
    """What to call each row: with its place, unless all stand in the same one."""
    apart = len({row.place for row in rows}) > 1
    return [f"{row.name} ({row.place})" if apart else row.name for row in rows]


def _rows(record: Record) -> list[WordRow]:
    table, asked = record.tables["words"], record.plan["asked"]
    counts = table.groupby(["word", "place"])["occurrence"].transform("max")
    digests = [str(one) for one in asked["image_sha256s"]]
    found = []
    for row, of in zip(table.to_dict("records"), counts, strict=True):
        if row["place"] not in PLACES or not 1 <= row["image"] <= len(digests):
            raise ValueError(row["place"])
        found.append(_row(row, int(of), digests, record, asked))
    return found


def _row(
    row: dict[Any, Any], of: int, digests: list[str], record: Record, asked: Mapping[str, Any]
) -> WordRow:
    return WordRow(
        word=str(row["word"]),
        place=row["place"],
        occurrence=int(row["occurrence"]),
        of=of,
        image=int(row["image"]),
        images=len(digests),
        image_sha256=digests[int(row["image"]) - 1],
        method=str(row["method"]),
        text=str(row["text"]),
        preceding=str(row["preceding"]),
        following=_following(row, asked),
        log_probability=float(row["log_probability"]),
        per_word=bool(row["per_word"]),
        signed=bool(row["signed"]),
        map=_map(record.maps[row["map"]]) if row["map"] else None,
        numbers={name: float(row[name]) for name in NUMBERS},
        marks={
            name: cast(Mark, row[column])
            for name, column in MARKED.items()
            if isfinite(row[name]) and row[column] in ("good", "acceptable", "poor")
        },
    )


def _map(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    if (
        not np.isfinite(image).all()
        or not 1 <= min(image.shape) <= max(image.shape) <= LONGEST_SIDE
    ):
        raise ValueError(image.shape)
    return image


def _following(row: Mapping[Any, Any], asked: Mapping[str, Any]) -> str:
    """What stands behind the word; "" behind a forced one, of which nothing behind it matters."""
    whole = {"answer": asked["answer"], "prompt": asked["prompt"]}.get(row["place"], "")
    until = f"{row['preceding']}{row['text']}".strip()
    place = str(whole).find(until)
    return "" if place < 0 else str(whole)[place + len(until) :]
