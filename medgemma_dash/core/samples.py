"""The sample radiographs that come with the program, known by their digests."""

import json
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from medgemma_dash.core.resources import resource


@dataclass(frozen=True)
class ShippedFilm:
    """A file in assets/samples; sha256: of its bytes, as `Radiograph.sha256`."""

    path: Path
    title: str
    sha256: str


@cache
def shipped_films() -> tuple[ShippedFilm, ...]:
    """All of them, in the order in which pages offer them."""
    folder = resource("assets", "samples")
    rows = json.loads((folder / "samples.json").read_text(encoding="utf-8"))
    return tuple(
        ShippedFilm(
            folder / row["file"],
            row["title"],
            sha256((folder / row["file"]).read_bytes()).hexdigest(),
        )
        for row in rows
    )


def shipped_film(digest: str) -> ShippedFilm | None:
    """The one with this sha256."""
    return next((film for film in shipped_films() if film.sha256 == digest), None)
