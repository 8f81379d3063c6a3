"""What a benchmark has done so far, on disk, so that it goes on where it was ended."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.services.evaluation.benchmark.measures import Observation

FILE = "benchmark.unfinished.jsonl"
SCHEMA = "medgemma-dash/benchmark-unfinished"
SCHEMA_VERSION = 1

# What was observed of a case, none for a wrong answer; None: it could not be asked about.
Found = tuple[Observation, ...] | None
Place = tuple[int, int]  # of a picture, and of a case about it


@dataclass
class Unfinished:
    """A line for each case that is done, written when it is; the first line says of which run.

    A process that is killed loses the case it was at, and nothing else. Without a path nothing is
    written, and nothing known.
    """

    path: Path | None = None
    _known: dict[Place, Found] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, run: Mapping[str, object]) -> "Unfinished":
        """Begin or go on with a run; run: everything that its numbers depend on.

        Raises ResultFileError when the folder holds what another run has not finished, and OSError.
        """
        path, head = folder / FILE, {"schema": SCHEMA, "schema_version": SCHEMA_VERSION, **run}
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
        if len(lines) < 2:  # the first line itself was not written to its end
            path.write_bytes(_line(head))
            return cls(path)
        if _read(lines[0]) != json.loads(_line(head)):
            raise ResultFileError(
                f"The folder holds a benchmark that was not finished, with other options, another "
                f"model or another version of the program. Finish it as it was begun, delete "
                f"{FILE}, or choose another --out."
            )
        *whole, torn = lines[1:]
        found = cls(path)
        for line in whole:
            entry = _read(line)
            if not isinstance(entry, dict):
                raise ResultFileError(f"{FILE} is damaged. Delete it to begin again.")
            found._known[tuple(entry["place"])] = _observations(entry["found"])
        if torn:
            with path.open("r+b") as file:
                file.truncate(path.stat().st_size - len(torn))
        return found

    def __len__(self) -> int:
        """How many cases are done."""
        return len(self._known)

    def knows(self, place: Place) -> bool:
        """Whether the case was done."""
        return place in self._known

    def get(self, place: Place) -> Found:
        """What was found of a case that was done."""
        return self._known[place]

    def add(self, place: Place, found: Sequence[Observation] | None) -> None:
        """Keep what was found of a case; raises OSError."""
        plain = None if found is None else [dataclasses.asdict(one) for one in found]
        line = _line({"place": place, "found": plain})
        if self.path is not None:
            with self.path.open("ab") as file:
                file.write(line)
        # As it is read again, so that a run that was ended gives what an unbroken one gives.
        self._known[place] = _observations(json.loads(line)["found"])

    def remove(self) -> None:
        """Forget it on disk: the run is finished, and its results are stored."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def digest(*parts: object) -> str:
    """Stands for what may name a patient's file."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _line(entry: Mapping[str, object]) -> bytes:
    # numpy's numbers are written as Python's, which read back as the same; NaN stays NaN.
    return json.dumps(entry, default=float, separators=(",", ":")).encode() + b"\n"


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _observations(entries: list[dict[str, Any]] | None) -> Found:
    return None if entries is None else tuple(Observation(**entry) for entry in entries)
