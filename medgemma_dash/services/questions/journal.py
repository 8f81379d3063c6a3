"""What a run has done so far, on disk: a process that is killed loses the row it was at alone."""

import base64
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from medgemma_dash.core.errors import ResultFileError

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be locked so
    fcntl = None  # type: ignore[assignment]

FILE = "questions.unfinished.jsonl"
FORMAT = "medgemma-dash/questions-unfinished"
_OTHER_RUN = (
    "The folder holds a run that was begun with another table or other options, another model, or "
    "other versions of the program and its libraries. Finish it as it was begun, or choose another "
    "folder."
)


@dataclass(frozen=True)
class Outcome:
    """What came of a row that was asked; margins are not numbers where there are none.

    image_sha256: "" where the image could not be read. answer: None where there is none. map:
    float32 (rows, columns) of the margin, where maps were asked for.
    """

    row: int
    image_sha256: str
    answer: str | None
    margin: float
    blank_margin: float
    swapped_margin: float
    problem: str
    seconds: float
    map: npt.NDArray[np.float32] | None = None


class Journal:
    """A line for each row that is done, written to the disk before the next row begins.

    The first line says of which run. Use it as a context: two processes cannot hold one journal.
    """

    def __init__(self, folder: Path, run: Mapping[str, object]) -> None:
        """run: all that the numbers depend on."""
        self.path = folder / FILE
        self.done: set[int] = set()
        self._head = json.loads(json.dumps({"format": FORMAT, "version": 1, **run}))
        self._file: io.FileIO | None = None

    def __enter__(self) -> "Journal":
        """Begin, or go on with what stands there.

        Raises ResultFileError where another run or process has the folder, what stands there is no
        journal, or nothing can be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Without a buffer, which would be written once more when a full disk's file is closed.
            self._file = io.FileIO(self.path, "a")
            self._lock(self._file)
            self._resume(self._file)
        except OSError as error:
            self._close()
            raise ResultFileError(
                f"The run cannot be kept in its folder: {error.strerror or error}. Choose another."
            ) from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave what is done on the disk."""
        self._close()

    def add(self, outcome: Outcome) -> None:
        """Keep a row; raises ResultFileError where there is no room."""
        entry = asdict(outcome)
        if outcome.map is not None:
            data = base64.b64encode(outcome.map.astype("<f4").tobytes()).decode()
            entry["map"] = {"shape": outcome.map.shape, "data": data}
        self._write(entry)
        self.done.add(outcome.row)

    def outcomes(self) -> Iterator[Outcome]:
        """Every row that is done, one after the other."""
        with self.path.open("rb") as file:
            next(file)
            for line in file:
                yield _outcome(_read(line))

    def remove(self) -> None:
        """Forget it: the record stands."""
        self._close()
        self.path.unlink(missing_ok=True)

    def _resume(self, file: io.FileIO) -> None:
        whole = 0
        with self.path.open("rb") as written:
            for number, line in enumerate(written):
                if not line.endswith(b"\n"):  # it was not written to its end
                    break
                entry = _read(line)
                if number == 0 and entry != self._head:
                    raise ResultFileError(_OTHER_RUN)
                if number:
                    self.done.add(_outcome(entry).row)
                whole += len(line)
        file.truncate(whole)
        if whole == 0:
            self._write(self._head)

    def _write(self, entry: Mapping[str, object]) -> None:
        if self._file is None:
            raise ValueError("The journal is closed.")
        rest = memoryview(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            raise ResultFileError(
                f"A row cannot be written: {error.strerror or error}. The rows before it are kept; "
                "make room and start the same run again."
            ) from error

    def _lock(self, file: io.FileIO) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ResultFileError(
                "Another process is at work on the run in this folder. Wait for it, or end it."
            ) from None

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _outcome(entry: Any) -> Outcome:
    try:
        drawn = entry["map"]
        if drawn is not None:
            numbers = np.frombuffer(base64.b64decode(drawn["data"]), "<f4")
            entry["map"] = numbers.reshape(drawn["shape"]).astype(np.float32)
        return Outcome(**entry)
    except (KeyError, TypeError, ValueError):
        raise ResultFileError(
            f"{FILE} is damaged. Delete it to begin the run again, or choose another folder."
        ) from None
