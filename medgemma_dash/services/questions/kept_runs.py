"""The runs that are kept in the user's cache folder, each to be gone on with or looked at."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from medgemma_dash.core.errors import ResultFileError
from medgemma_dash.core.record_files import HEAD
from medgemma_dash.services.questions.journal import FILE

ABOUT, TABLE, RECORD = "about.json", "table", "record"
VERSION = 1
_NAME = re.compile(r"[0-9a-f]{24}")
_BLOCK = 1 << 20


@dataclass(frozen=True)
class AboutRun:
    """What a run is of, as its folder says beside its rows.

    title: of the set. input: equal for the same table and images. folder: of the images; "" where
    they lie elsewhere, which `source` says. rows: how many were chosen; to_ask: how many of them
    can be asked. selected: the rows that are asked, all where it is empty. began: by the clock, in
    ISO 8601.
    """

    title: str
    source: str
    folder: str
    input: str
    rows: int
    to_ask: int
    selected: tuple[int, ...]
    maps: bool
    model: str
    is_demo: bool
    began: str


@dataclass(frozen=True)
class KeptRun:
    """A run in the folder. done: how many rows are; finished: whether its record stands."""

    name: str
    folder: Path
    about: AboutRun
    done: int
    finished: bool

    @property
    def record(self) -> Path:
        """Where its rows are written as they are done, and then its record."""
        return self.folder / RECORD

    @property
    def table(self) -> Path:
        """The table that was given."""
        return self.folder / TABLE


def runs_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Below the folder in which this user's programs keep what can be made again."""
    given = environment.get("XDG_CACHE_HOME", "").strip()
    home = Path.home()
    if given:
        base = Path(given)
    elif sys.platform == "win32":
        base = Path(environment.get("LOCALAPPDATA", "") or home / "AppData" / "Local")
    else:
        base = home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"
    return base / "medgemma-dash" / "questions"


def input_key(table: str, images: str) -> str:
    """Equal for the same table and images. table: `QuestionTable.digest`; images: the source's."""
    return sha256(f"{table}\n{images}".encode()).hexdigest()


def run_name(run: Mapping[str, object], key: str) -> str:
    """The folder of a run: another table, other images, options, model or versions have another.

    run: `run_folder.identity`. key: `input_key`.
    """
    said = json.dumps([run, key], sort_keys=True)
    return sha256(said.encode()).hexdigest()[:24]


def begin_run(folder: Path, name: str, about: AboutRun, table: bytes) -> KeptRun:
    """Have a folder for this run, for its owner alone; one that is there already stays as it is.

    Raises ResultFileError.
    """
    place = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        if not (place / ABOUT).exists():
            (place / TABLE).write_bytes(table)
            written = json.dumps({"version": VERSION} | asdict(about), indent=1)
            # Last, and at once: a folder without it is of no run.
            (place / f"{ABOUT}.writing").write_text(written, encoding="utf-8")
            os.replace(place / f"{ABOUT}.writing", place / ABOUT)
    except OSError as error:
        raise ResultFileError(
            f"The run cannot be kept in {folder}: {error.strerror or error}. Make room, or set "
            "XDG_CACHE_HOME to another folder."
        ) from error
    found = kept_run(place)
    if found is None:
        raise ResultFileError(f"The folder {place} is damaged. Delete it, and begin again.")
    return found


def kept_runs(folder: Path) -> list[KeptRun]:
    """Every run in the folder, the newest first; what is no run is passed over."""
    try:
        places = [one for one in folder.iterdir() if _NAME.fullmatch(one.name)]
    except OSError:
        return []
    found = [run for place in places if (run := kept_run(place)) is not None]
    return sorted(found, key=lambda run: run.about.began, reverse=True)


def kept_run(place: Path) -> KeptRun | None:
    """The run in this folder; None where there is none."""
    try:
        said = json.loads((place / ABOUT).read_text("utf-8"))
        version = said.pop("version")
        about = AboutRun(**said | {"selected": tuple(said["selected"])})
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None
    if version != VERSION or not _well_said(about):
        return None
    finished = (place / RECORD / HEAD).is_file()
    done = about.to_ask if finished else _lines(place / RECORD / FILE)
    return KeptRun(place.name, place, about, done, finished)


def delete_run(folder: Path, name: str) -> None:
    """Remove a run and all that it holds; raises ResultFileError where that cannot be."""
    if not _NAME.fullmatch(name):
        raise ResultFileError("There is no run of that name.")
    try:
        shutil.rmtree(folder / name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ResultFileError(
            f"The run cannot be deleted: {error.strerror or error}. Its folder is {folder / name}."
        ) from error


def _well_said(about: AboutRun) -> bool:
    wanted: dict[str, Any] = {"str": str, "int": int, "bool": bool, "tuple[int, ...]": tuple}
    fields = AboutRun.__dataclass_fields__.values()
    return all(type(one) is int for one in about.selected) and all(
        type(getattr(about, one.name)) is wanted[str(one.type)] for one in fields
    )


def _lines(journal: Path) -> int:
    """How many rows a journal holds; its first line says of which run it is."""
    lines = 0
    try:
        with journal.open("rb") as file:
            while block := file.read(_BLOCK):
                lines += block.count(b"\n")
    except OSError:
        return 0
    return max(0, lines - 1)
